"""What is spent while nothing is due: context switches, and memory."""

import time

from . import peers
from .daemon import Dosed, daily, later_today
from .lab import Absent, absent_row, end, number, pss, ratio, say, table

SIZES = (10, 1_000, 100_000)
SETTLE_SECONDS = 5
SECONDS, QUICK_SECONDS = 60, 5
HEAD = ["items", "program", "context switches a minute", "PSS, MiB", "PSS to the best peer", "start, s"]


def run(lab):
    # Built before anything is timed.
    _ = lab.dosed, lab.example("stock")
    seconds = QUICK_SECONDS if lab.quick else SECONDS
    rows = [row for size in SIZES for row in of_size(lab, size, seconds)]
    return "\n".join([
        table(HEAD, rows), "",
        f"Each has so many daily items, the first of them hours away. After {SETTLE_SECONDS} s of settling all "
        f"threads are counted over {seconds} s, all programs at the same time. KAlarm is counted without the "
        "screen, the bus and the KDE services that it starts. A first start of dosed also writes the items into "
        "the record; a restart is every later one."])


def of_size(lab, size, seconds):
    say(f"idle: {size} items")
    rows, running, measured = {}, {}, {}
    try:
        measured[FIRST] = first_start(lab, size)
    except Absent as why:
        rows[FIRST] = absent_row(FIRST, why, len(HEAD) - 1)
    for name, start in PROGRAMS.items():
        began = time.perf_counter()
        try:
            process = start(lab, size)
            running[name] = (process, process.took or time.perf_counter() - began)
        except Absent as why:
            rows[name] = absent_row(name, why, len(HEAD) - 1)
    time.sleep(SETTLE_SECONDS)
    before = {name: process.switches() for name, (process, _) in running.items()}
    time.sleep(seconds)
    for name, (process, took) in running.items():
        try:
            a_minute = (process.switches() - before[name]) * 60 / seconds
            measured[name] = (number(a_minute), process.pss(), took)
        except OSError:
            rows[name] = absent_row(name, "it ended by itself", len(HEAD) - 1)
    for process, _ in running.values():
        end(process.child)
    best = min((memory for name, (_, memory, _) in measured.items() if not name.startswith("dosed")), default=None)
    for name, (switched, memory, took) in measured.items():
        rows[name] = [name, switched, number(memory), ratio(memory, best), number(took)]
    return [[f"{size:,}", *rows[name]] for name in [FIRST, *PROGRAMS]]


def first_start(lab, size):
    """Measures dosed alone: two of it would share pages, and show half of each."""
    dosed = Dosed(lab, daily(size))
    took = dosed.start()
    time.sleep(SETTLE_SECONDS)
    memory = pss(dosed.pid)
    dosed.remove()
    return "", memory, took


def dosed(lab, size):
    dosed = Dosed(lab, daily(size))
    dosed.start()
    took = dosed.restart()
    return peers.Process(dosed.child, took=took)


def peer(start):
    return lambda lab, size: start(lab, later_today(size))


FIRST = "dosed, first start"
PROGRAMS = {"dosed": dosed, "remind -z": peer(peers.remind), "APScheduler": peer(peers.apscheduler),
            "tokio-cron-scheduler": peer(peers.stock), "KAlarm": peer(peers.kalarm)}
