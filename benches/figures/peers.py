"""The peers: how each is installed, told its version, and started with so many items."""

import os
import re
import shutil
import subprocess
import sys
import time
from datetime import timezone

from .lab import Absent, PEERS, alone, end, pss, say, switches, wait_for

START_SECONDS = 60

# Debian packages, by a file or program that tells whether each is there.
PACKAGES = {"remind": "remind", "cron": "cron", "notify-send": "libnotify-bin", "kalarm": "kalarm", "Xvfb": "xvfb",
            "dbus-daemon": "dbus", "gdbus": "libglib2.0-bin", "sqlite3": "sqlite3",
            "strip": "binutils", "unshare": "util-linux"}

# python3-venv has no program of its own.
VENV = "/usr/share/doc/python3-venv"
MODULES = ["APScheduler", "python-dateutil"]


def install(lab):
    """Installs what is missing; a peer that is not to be had is told of where it is missed."""
    missing = [package for program, package in PACKAGES.items() if not find(program)]
    if not os.path.exists(VENV):
        missing.append("python3-venv")
    for package in missing:
        say(f"installing {package}")
        as_root = [] if os.getuid() == 0 else ["sudo", "-n"]
        env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run([*as_root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", package], env=env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not lab.python.exists() or modules(lab).keys() < set(MODULES):
        say("installing " + ", ".join(MODULES))
        subprocess.run(["python3", "-m", "venv", lab.python.parent.parent])
        subprocess.run([lab.python, "-m", "pip", "install", "-q", *MODULES])


def find(program):
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


def needed(program):
    if not find(program):
        raise Absent(f"{program} cannot be installed here")
    return find(program)


def modules(lab):
    """Returns the versions of the Python modules that are installed."""
    asked = "import sys, importlib.metadata as m\nfor name in sys.argv[1:]: print(name, m.version(name))"
    told = subprocess.run([lab.python, "-c", asked, *MODULES], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True)
    return dict(line.split() for line in told.stdout.splitlines())


class Process:
    """A program that runs, which process of it is measured, and how long its start took where that is known."""

    def __init__(self, child, pid=None, took=None):
        self.child = child
        self.pid = pid or child.pid
        self.took = took

    def switches(self):
        return switches(self.pid)

    def pss(self):
        return pss(self.pid)


# Each of the following starts a peer that shows a text every day at the time of `when`, for each such pair.

def remind(lab, due, env=None):
    script = lab.directory() / "reminders"
    script.write_text("".join(f"REM AT {when:%H:%M} MSG {text}\n" for when, text in due))
    child = lab.start(needed("remind"), "-z", "-knotify-send %s", script, env=lab.env | (env or {}))
    wait_for(lambda: child.poll() is not None or "S" in state(child.pid), START_SECONDS, "it does not start")
    return Process(child)


def state(pid):
    """Returns the letter of what a process does: one that has read its reminders sleeps."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


def apscheduler(lab, due, env=None):
    if "APScheduler" not in modules(lab):
        raise Absent("APScheduler cannot be installed here")
    lines = [f"{when:%-S %-M %-H}\t{text}\n" for when, text in due]
    return fed(lab, [lab.python, PEERS / "scheduler.py"], lines, env)


def stock(lab, due, env=None):
    utc = ((when.astimezone(timezone.utc), text) for when, text in due)
    lines = [f"{when:%-S %-M %-H} * * *\t{text}\n" for when, text in utc]
    return fed(lab, [lab.example("stock")], lines, env)


def fed(lab, command, lines, env):
    """Starts a peer that reads its items and then says that it is ready."""
    script, told = lab.directory() / "items", lab.directory() / "told"
    script.write_text("".join(lines))
    with script.open() as items, told.open("w") as out:
        child = lab.start(*command, stdin=items, stdout=out, env=lab.env | (env or {}))
    wait_for(lambda: told.read_text() == "ready\n", START_SECONDS, "it does not start")
    return Process(child)


def cron(lab, due, env):
    """Starts a cron of its own, in a mount namespace where it sees one table and nothing of the machine's."""
    if os.getuid() != 0:
        raise Absent("cron can only be started by root")
    program, home = needed("cron"), lab.directory()
    for name in ("crontabs", "none", "run"):
        (home / name).mkdir()
    shown = {name: env[name] for name in ("DBUS_SESSION_BUS_ADDRESS", "PATH", "HOME")}
    text = "".join(f"{name}={value}\n" for name, value in shown.items())
    text += "".join(f"{when:%-M %-H} * * * notify-send {text}\n" for when, text in due)
    tab = home / "crontabs/root"
    tab.write_text(text)
    tab.chmod(0o600)
    mounts = " && ".join([f"mount --bind {home}/crontabs /var/spool/cron/crontabs",
                          f"mount --bind {home}/none /etc/cron.d", "mount --bind /dev/null /etc/crontab",
                          f"mount --bind {home}/run /run", f"exec {program} -f"])
    return Process(lab.start(*alone("--mount", "sh", "-c", mounts), env=env))


KALARM_CALENDAR = ("BEGIN:VCALENDAR\r\nPRODID:-//K Desktop Environment//NONSGML KAlarm 3.5.4.2//EN\r\nVERSION:2.0\r\n"
                   "X-KDE-KALARM-VERSION:2.7.0\r\n{}END:VCALENDAR\r\n")
KALARM_EVENT = ("BEGIN:VEVENT\r\nDTSTAMP:20260101T000000Z\r\nX-KDE-KALARM-FLAGS:LOCAL\r\nX-KDE-KALARM-TYPE:ACTIVE\r\n"
                "UID:{text}\r\nRRULE:FREQ=DAILY\r\nDURATION:PT0S\r\nDTSTART:{when:%Y%m%dT%H%M%S}\r\n"
                "BEGIN:VALARM\r\nDESCRIPTION:{text}\r\nACTION:DISPLAY\r\nTRIGGER:PT0S\r\nEND:VALARM\r\nEND:VEVENT\r\n")
KALARM_SECONDS = 20


def kalarm(lab, due, env=None):
    """Starts KAlarm; what else of KDE comes up with it is not counted."""
    program = needed("kalarm")
    home = lab.directory()
    desk = Display(lab)
    write_kalarm(home, due)
    env = lab.env | desk.env | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "QT_QPA_PLATFORM": "xcb"}
    child = lab.start(*alone(program, "--tray"), env=env)
    names = ["gdbus", "call", "--session", "-d", "org.freedesktop.DBus", "-o", "/", "-m",
             "org.freedesktop.DBus.ListNames"]
    there = lambda: "org.kde.kalarm" in subprocess.run(names, env=env, stdout=subprocess.PIPE, text=True).stdout
    wait_for(there, KALARM_SECONDS, "it does not start")
    pid = only_child(child.pid)
    wait_for(lambda: is_calm(pid), START_SECONDS, "it has not read its alarms")
    return Process(child, pid)


def write_kalarm(home, due):
    """Writes its settings, so that it begins with these alarms and does not look for those of old versions."""
    config, data = home / ".config", home / ".local/share/kalarm"
    config.mkdir()
    data.mkdir(parents=True)
    (config / "kalarmrc").write_text("[General]\nAutoStart=false\nBackend=FileResources\nVersion=3.5.4.2\n")
    resources = "[General]\nLastId=3\n"
    for n, kind in enumerate(("Active", "Archived", "Template"), 1):
        events = "".join(KALARM_EVENT.format(when=when, text=text) for when, text in due) if n == 1 else ""
        (data / f"{n}.ics").write_text(KALARM_CALENDAR.format(events), newline="")
        resources += (f"\n[Resource_{n}]\nAlarmTypes={kind}\nEnabled={kind}\nStandard={kind}\nId={n}\nName={kind}\n"
                      f"Path={data}/{n}.ics\nReadOnly=false\nType=File\n")
    (config / "kalarmresources").write_text(resources)


def is_calm(pid):
    """Tells whether a process has spent next to nothing in a second."""
    before = ticks(pid)
    time.sleep(1)
    return ticks(pid) - before < 5


def ticks(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return sum(int(spent) for spent in stat.read().rpartition(")")[2].split()[11:13])


def only_child(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return int(children.read().split()[0])


class Display:
    """A private session bus and a screen that nobody sees."""

    def __init__(self, lab):
        _, number = first_line(lab, needed("Xvfb"), "-displayfd", "1", "-screen", "0", "640x360x24", "-nolisten",
                                    "tcp")
        _, address = session_bus(lab)
        self.env = {"DISPLAY": f":{number}", "DBUS_SESSION_BUS_ADDRESS": address}


def session_bus(lab):
    return first_line(lab, needed("dbus-daemon"), "--session", "--nofork", "--print-address=1")


def first_line(lab, *command):
    """Starts a program, and returns it with the first line that it says."""
    child = lab.start(*command, stdout=subprocess.PIPE, text=True)
    return child, child.stdout.readline().strip()


class Desk:
    """A private session bus with a notification server, and somebody who writes down what is called and when."""

    def __init__(self, lab):
        bus, address = session_bus(lab)
        self.env = lab.env | {"DBUS_SESSION_BUS_ADDRESS": address}
        self.heard = lab.directory() / "heard"
        self.children = [bus, lab.start(sys.executable, PEERS / "server.py", env=self.env)]
        subprocess.run(["gdbus", "wait", "--session", "--timeout", "30", "org.freedesktop.Notifications"],
                       env=self.env, check=True)
        with self.heard.open("w") as out:
            self.children.append(lab.start(
                "dbus-monitor", "--session",
                "type='method_call',interface='org.freedesktop.Notifications',member='Notify'",
                env=self.env, stdout=out))

    def close(self):
        """Ends it, so that what it still has to show slows nothing that comes next."""
        for child in self.children:
            end(child)

    def calls(self):
        """Returns when each Notify was on the bus, and all its texts."""
        for call in re.split(r"^method call ", self.heard.read_text(), flags=re.MULTILINE)[1:]:
            if "member=Notify" in call:
                yield float(re.match(r"time=([0-9.]+)", call)[1]), call
