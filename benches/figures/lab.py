"""The bench itself: where things lie, what is started and stopped, and how numbers are told."""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / "benches/peers"

# Where a bus could be and is none: nothing of the person's own desktop is touched.
NO_BUS = "unix:path=/nonexistent"


class Absent(Exception):
    """A peer that is not measured, and why."""


class Lab:
    """One run: its files, its processes, and the programs that it measures."""

    def __init__(self, stack, quick):
        self.stack = stack
        self.quick = quick
        self.home = Path(tempfile.mkdtemp(prefix="dosed-"))
        stack.callback(shutil.rmtree, self.home, ignore_errors=True)
        self.target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.home),
                    "TZ": os.environ["TZ"], "LANG": "C.UTF-8", "DBUS_SESSION_BUS_ADDRESS": NO_BUS,
                    "DBUS_SYSTEM_BUS_ADDRESS": NO_BUS}

    def directory(self):
        return Path(tempfile.mkdtemp(dir=self.home))

    def start(self, *command, **how):
        """Starts a program that does not outlive this run."""
        how = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL,
               "env": self.env, "start_new_session": True} | how
        child = subprocess.Popen([str(word) for word in command], **how)
        self.stack.callback(end, child)
        return child

    def timed(self, *command, **how):
        """Runs a program to its end, and returns the seconds that it took and what it said."""
        how = {"stdout": subprocess.PIPE, "env": self.env, "text": True, "check": True} | how
        began = time.perf_counter()
        done = subprocess.run([str(word) for word in command], **how)
        return time.perf_counter() - began, done.stdout

    @property
    def dosed(self):
        return built(self.target / "release/dosed", "--bin", "dosed")

    def example(self, name):
        return built(self.target / "release/examples" / name, "--example", name)

    @property
    def python(self):
        return self.target / "bench-venv/bin/python"


_built = set()


def built(path, *what):
    """Builds a program once a run: what lies there may be older than its source."""
    if path not in _built:
        say(f"building {path.name}")
        subprocess.run(["cargo", "build", "--release", "--quiet", *what], cwd=ROOT, check=True)
        _built.add(path)
    return path


def end(child):
    """Stops a program and whatever it started."""
    if child.poll() is None:
        try:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def alone(*command):
    """Makes a command take everything that it starts with it when it ends."""
    as_user = [] if os.getuid() == 0 else ["--user", "--map-current-user"]
    return ["unshare", *as_user, "--pid", "--fork", "--kill-child", *command]


def wait_for(true, seconds, what):
    end_at = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end_at:
            raise Absent(f"{what} within {seconds:g} s")
        time.sleep(0.02)


def say(what):
    print(f"benches/compare: {what}", file=sys.stderr, flush=True)


def pss(pid, part="Pss"):
    """Returns the memory of a process in MiB, shared pages divided among those who share them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(part + ":"):
            return int(line.split()[1]) / 1024
    raise Absent("the kernel does not tell its memory")


def switches(pid):
    """Returns the context switches of all threads of a process."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        total += sum(int(line.split()[1]) for line in status.read_text().splitlines() if "ctxt_switches" in line)
    return total


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def number(value):
    """Tells a number with three digits that count."""
    if value == 0 or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def told(values, unit=""):
    """Tells a median with its range."""
    of_all = f"{number(min(values))}..{number(max(values))}"
    return f"{number(statistics.median(values))}{unit} ({of_all})"


def ratio(value, best):
    """Tells how many times the best peer a value is."""
    return "-" if not best else f"{number(value / best)}x"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def absent_row(name, why, width):
    """Makes the row of a peer that is not measured."""
    return [name, f"not measured: {why}"] + [""] * (width - 2)
