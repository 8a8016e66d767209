"""From the start until dosed is ready."""

import shutil

from .daemon import Dosed, begun, daily, distant
from .lab import number, say, statistics, table, told

DAYS = 3652
STARTS, QUICK_STARTS = 20, 3
FACTS, QUICK_FACTS = 200_000, 20_000
REBUILDS = 3
CASES = {"10 daily items, no record": (daily(10), 0),
         "10 daily items, 3 of them answered for ten years": (daily(10, answered=3), DAYS),
         "1,000 daily items, 3 of them answered for ten years": (daily(1_000, answered=3), DAYS),
         "1,000 items whose first slot is in 2099, no record": (distant(1_000), 0)}


def run(lab):
    return "\n".join([
        table(["case", "facts", "starts", "until READY=1, ms"], [start(lab, case, *of) for case, of in CASES.items()]),
        "", "The database was there. Without it, it is rebuilt from the journal:", "",
        rebuild(lab)])


def start(lab, case, schedule, days):
    say(f"start: {case}")
    dosed = begun(lab, schedule, days)
    times = [dosed.restart() * 1000 for _ in range(QUICK_STARTS if lab.quick else STARTS)]
    facts = dosed.journal.read_text().count("\n")
    dosed.remove()
    return [case, f"{facts:,}", len(times), told(times)]


def rebuild(lab):
    say("start: rebuilding")
    facts = QUICK_FACTS if lab.quick else FACTS
    dosed = Dosed(lab, daily(30, answered=30))
    dosed.write_record(DAYS, facts)
    times = []
    for _ in range(REBUILDS):
        shutil.rmtree(dosed.data / "db", ignore_errors=True)
        times.append(dosed.start())
        dosed.stop()
    size = dosed.journal.stat().st_size / 1e6
    dosed.remove()
    return table(["facts", "journal, MB", "start with rebuilding, s", "facts a second"],
                 [[f"{facts:,}", number(size), told(times), number(facts / statistics.median(times))]])
