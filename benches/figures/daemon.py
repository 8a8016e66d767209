"""dosed as its users meet it: a schedule, a record, a process and its socket."""

import json
import random
import shutil
import socket
import time
import zlib
from datetime import datetime, timedelta, timezone

from .lab import Absent, end, wait_for

START_SECONDS = 60
DEVICE = "bench"
# Those that a record answers are told apart by their names.
ANSWERED = "answered-"

# The bench's own local time is the small hours, see `small_hours` in benches/compare: at these hours today's
# slots are all still to come.
ANSWERED_AT = "06:00"
FIRST_HOUR, HOURS = 7, 16


def daily(count, answered=0):
    """Writes a schedule of daily items, the first of them those that the record answers."""
    items = [(f"{ANSWERED}{i}", ANSWERED_AT) for i in range(answered)]
    items += [(name, f"{when:%H:%M}") for when, name in later_today(count - answered)]
    # In one line: 100,000 items in the long form are more than the 4 MiB that a schedule may have.
    return "supplement = [" + ",".join(f'{{id="{name}",times=["{at}"]}}' for name, at in items) + "]\n"


def later_today(count):
    """Returns so many times with a name each."""
    day = midnight()
    return [(day.replace(hour=FIRST_HOUR + i % HOURS, minute=i % 60), f"item-{i}") for i in range(count)]


def distant(count, answered=0):
    """Writes a schedule of items whose first slot is decades ahead, but for those that the record answers."""
    text = "".join(f'[[supplement]]\nid = "{ANSWERED}{i}"\ntimes = ["{ANSWERED_AT}"]\n' for i in range(answered))
    return text + "".join(f'[[supplement]]\nid = "item-{i}"\ntimes = ["{8 + i % 12:02}:{i % 60:02}"]\n'
                          "from = 2099-01-01\n" for i in range(count - answered))


class Dosed:
    """A directory with a schedule and a record, and the daemon that runs on it."""

    def __init__(self, lab, schedule, env=None):
        self.lab = lab
        self.env = lab.env | (env or {})
        self.home = lab.directory()
        self.schedule = self.home / "schedule.toml"
        self.schedule.write_text(schedule)
        self.data = self.home / "data"
        self.socket = self.home / "sock"
        self.child = None

    def start(self, patience=START_SECONDS):
        """Starts the daemon, and returns the seconds until it says that it is ready."""
        told = self.home / "ready"
        told.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
            ready.bind(str(told))
            ready.settimeout(patience)
            began = time.perf_counter()
            with (self.home / "log").open("w") as log:
                self.child = self.lab.start(
                    self.lab.dosed, "daemon", "--schedule", self.schedule, "--data-dir", self.data, "--socket",
                    self.socket, stdout=log, stderr=log, env=self.env | {"NOTIFY_SOCKET": str(told)})
            try:
                while b"READY=1" not in ready.recv(4096):
                    pass
            except TimeoutError:
                end(self.child)
                raise Absent(f"it does not start within {patience} s") from None
            return time.perf_counter() - began

    def stop(self):
        end(self.child)

    def restart(self):
        self.stop()
        return self.start()

    def remove(self):
        """Stops it and makes room on the disk."""
        self.stop()
        shutil.rmtree(self.home)

    @property
    def pid(self):
        return self.child.pid

    @property
    def journal(self):
        return next((self.data / "journal").glob("*.jsonl"))

    def ask(self):
        return Connection(self.socket)

    def write_record(self, days, facts=None):
        """Writes a record of so many days up to yesterday, or of so many facts; returns what was answered.

        The daemon first writes the beginning of the record by itself, so that the definitions of the items
        are its own; they are then dated back.
        """
        self.data.mkdir(mode=0o700)
        (self.data / "device").write_text(DEVICE + "\n")
        self.start()
        self.stop()
        shutil.rmtree(self.data / "db")
        begins = midnight() - timedelta(days=days)
        opening = [json.loads(line)["fact"] for line in self.journal.read_text().splitlines()]
        items = [fact["item"] for fact in opening if fact.get("item", "").startswith(ANSWERED)]
        answers = list(answered_days(days, items))
        rest = [fact for answer in answers for fact in answer.facts()]
        if facts:
            rest = rest[:facts - len(opening)]
        with self.journal.open("w") as journal:
            for seq, fact in enumerate([fact | {"at": stamp(begins)} for fact in opening] + rest, 1):
                journal.write(line(seq, fact) + "\n")
        return answers


def begun(lab, schedule, days):
    """Returns a daemon that runs on a schedule, and on a record where it is to have days."""
    dosed = Dosed(lab, schedule)
    if days:
        dosed.write_record(days)
    dosed.start()
    return dosed


class Answer:
    """What became of one planned dose."""

    def __init__(self, item, day, kind, minutes):
        self.item, self.day, self.kind = item, day, kind
        self.slot = datetime.combine(day, datetime.strptime(ANSWERED_AT, "%H:%M").time()).astimezone()
        self.later = self.slot + timedelta(minutes=minutes)

    def facts(self):
        occurrence = f"{self.item}@{self.slot:%Y-%m-%dT%H:%M}"
        yield {"type": "delivered", "occurrence": occurrence, "at": stamp(self.slot), "channel": "desktop",
               "notification": 1}
        if self.kind == "intake":
            yield {"type": "intake", "item": self.item, "occurrence": occurrence, "at": stamp(self.later)}
        elif self.kind == "skip":
            yield {"type": "skip", "occurrence": occurrence, "at": stamp(self.later)}


def answered_days(days, items):
    """Makes up what became of each day: mostly taken, now and then skipped or without an answer."""
    lot = random.Random(1)
    first = midnight().date() - timedelta(days=days)
    for n in range(days):
        for item in items:
            kind = lot.choices(("intake", "skip", "missed"), (85, 5, 10))[0]
            yield Answer(item, first + timedelta(days=n), kind, lot.randrange(60))


def midnight():
    return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)


def stamp(at):
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00[UTC]")


def line(seq, fact):
    """Writes a line of a journal, as src/adapters/store/line.rs does."""
    record = {"v": 1, "id": f"{DEVICE}.{seq}", "seq": seq, "device": DEVICE, "recorded_at": fact["at"],
              "fact": fact}
    checked = json.dumps(record, separators=(",", ":"), ensure_ascii=False)[:-1]
    return f'{checked},"crc":"{zlib.crc32(checked.encode()):08x}"}}'


class Connection:
    """A connection that is kept: what is timed is the answer, not the way to it."""

    def __init__(self, path, patience=0):
        self.socket = socket.socket(socket.AF_UNIX)
        wait_for(lambda: self.socket.connect_ex(str(path)) == 0, patience, f"nobody listens at {path.name}")
        self.rest = b""

    def get(self, path):
        return self.send(b"GET", path, b"")

    def post(self, path):
        return self.send(b"POST", path, b"{}")

    def send(self, method, path, body):
        """Returns the status and the body of the answer."""
        self.socket.sendall(request(method, path, body))
        return self.receive()

    def receive(self):
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.more()
        head, _, body = self.rest.partition(b"\r\n\r\n")
        pieces, length = [body], content_length(head)
        missing = length - len(body)
        while missing > 0:
            pieces.append(self.more())
            missing -= len(pieces[-1])
        body = b"".join(pieces)
        self.rest = body[length:]
        return int(head.split()[1]), body[:length]

    def more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise Absent("the daemon closed the connection")
        return data

    def close(self):
        self.socket.close()


def request(method, path, body):
    head = b"%s %s HTTP/1.1\r\nHost: dosed\r\n" % (method, path.encode())
    if body:
        head += b"Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return head + b"\r\n" + body


def content_length(head):
    for field in head.lower().split(b"\r\n"):
        if field.startswith(b"content-length:"):
            return int(field.split(b":")[1])
    raise Absent("an answer without a length")


def time_questions(dosed, path, count, between=lambda: None):
    """Returns the milliseconds of each of so many answers."""
    connection = dosed.ask()
    times = []
    for n in range(count + count // 10):
        between()
        began = time.perf_counter()
        status, body = connection.get(path)
        took = time.perf_counter() - began
        if status != 200:
            raise Absent(f"{path} answers {status}: {body.decode()[:200]}")
        if n >= count // 10:  # the first tenth warms up
            times.append(took * 1000)
    connection.close()
    return times
