"""From an answer that is sent until the reply that it is on the disk."""

import os
import selectors
import sqlite3
import statistics
import time

from .daemon import START_SECONDS, Connection, Dosed, distant, request
from .lab import Absent, number, percentile, ratio, say, table, told

EXTRA = '[[supplement]]\nid = "extra"\nas-needed = true\n'
PATH = "/v1/items/extra/log"
DAYS = 3652

# What is answered today is looked at with each answer: only so many in a row are what a day could bring.
A_DAY, A_ROUND = 100, 20
SERIES, QUICK_SERIES = 10, 2
CLIENTS = (1, 8, 64)
ANSWERS, QUICK_ANSWERS = 1_000, 200
ALREADY = (0, 1_000, 4_000)


def run(lab):
    return "\n".join([
        one_by_one(lab), "",
        f"By turns, {A_ROUND} of each at a time, on the same file system: what disturbs one disturbs all. dosed starts "
        f"with a new record after {A_DAY} answers. The bare append writes as many bytes as a line of the journal has. SQLite is in "
        "WAL mode with synchronous=FULL, and commits one row. The server that does nothing else appends as many bytes on "
        "a thread of its own, so that a slow disk would hold up nothing else, and replies when they are on the disk. The "
        "answers have no idempotency key; one with a key asks the database first.", "",
        f"So many clients at once, each of which waits for its reply before it sends again, until {answers(lab):,} "
        "answers are recorded:", "",
        at_once(lab), "",
        "With so many answers recorded on that day already, one client:", "",
        later(lab)])


def one_by_one(lab):
    times = {}
    for n in range(QUICK_SERIES if lab.quick else SERIES):
        say(f"answers: one by one, series {n + 1}")
        small = Dosed(lab, EXTRA)
        small.start()
        large = Dosed(lab, EXTRA + distant(1_000, answered=3))
        large.write_record(DAYS)
        large.start()
        length = line_length(small)
        ways = {"append and fdatasync": append(lab, length), "SQLite": commit(lab, length),
                "a server that does nothing else": serve(lab, length), "dosed": post(small.ask()),
                "dosed, 1,000 items and ten years": post(large.ask())}
        for _ in range(A_DAY // A_ROUND):
            for name, way in ways.items():
                times.setdefault(name, []).extend(timed(way) for _ in range(A_ROUND))
        small.remove()
        large.remove()
    bare = statistics.median(times["append and fdatasync"])
    rows = [[name, f"{len(of):,}", told(of), number(percentile(of, 0.99)), ratio(statistics.median(of), bare)]
            for name, of in times.items()]
    return table(["program", "answers", "until it is durable, ms", "p99, ms", "median to the bare append"], rows)


def timed(way):
    began = time.perf_counter()
    way()
    return (time.perf_counter() - began) * 1000


def post(connection):
    def way():
        status, body = connection.post(PATH)
        if status != 201:
            raise Absent(f"an answer gets {status}: {body.decode()[:200]}")
    way()
    return way


def line_length(dosed):
    """Returns how many bytes an answer has in the journal."""
    post(dosed.ask())
    return len(dosed.journal.read_bytes().splitlines()[-1]) + 1


def append(lab, length):
    # Left open until the process ends.
    file = os.open(lab.directory() / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    line = b"x" * (length - 1) + b"\n"

    def way():
        os.write(file, line)
        os.fdatasync(file)
    return way


def serve(lab, length):
    home = lab.directory()
    lab.start(lab.example("appender"), home / "sock", home / "lines", length)
    return post(Connection(home / "sock", START_SECONDS))


def commit(lab, length):
    database = sqlite3.connect(lab.directory() / "record.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE facts (line TEXT)")
    database.commit()
    line = "x" * length

    def way():
        database.execute("INSERT INTO facts VALUES (?)", (line,))
        database.commit()
    return way


def answers(lab):
    return QUICK_ANSWERS if lab.quick else ANSWERS


def at_once(lab):
    alone, rows = None, []
    for clients in CLIENTS:
        say(f"answers: {clients} clients")
        dosed = Dosed(lab, EXTRA)
        dosed.start()
        a_second = answers(lab) / crowd(dosed, clients, answers(lab))
        dosed.remove()
        alone = alone or a_second
        rows.append([clients, number(a_second), ratio(a_second, alone)])
    return table(["clients", "answers a second", "to one client"], rows)


def later(lab):
    """Tells how an answer waits for those that were given before it."""
    dosed, rows, given = Dosed(lab, EXTRA), [], 0
    dosed.start()
    for already in ALREADY:
        say(f"answers: after {already}")
        while given < already:
            crowd(dosed, CLIENTS[-1], 1_000)
            given += 1_000
        way = post(dosed.ask())
        rows.append([f"{already:,}", told([timed(way) for _ in range(A_ROUND)])])
    dosed.remove()
    return table(["answers before", "until it is durable, ms"], rows)


def crowd(dosed, clients, count):
    """Returns the seconds that so many answers from so many clients take."""
    posted = request(b"POST", PATH, b"{}")
    to_send = count
    began = time.perf_counter()
    with selectors.DefaultSelector() as ready:
        for _ in range(clients):
            connection = dosed.ask()
            connection.socket.sendall(posted)
            ready.register(connection.socket, selectors.EVENT_READ, connection)
            to_send -= 1
        while ready.get_map():
            for key, _ in ready.select():
                status, _ = key.data.receive()
                if status != 201:
                    raise Absent(f"an answer in a crowd gets {status}")
                if to_send > 0:
                    key.data.socket.sendall(posted)
                    to_send -= 1
                else:
                    ready.unregister(key.data.socket)
                    key.data.close()
    return time.perf_counter() - began
