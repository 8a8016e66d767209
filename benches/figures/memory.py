"""What dosed holds in memory while it idles on ten years of record."""

import time

from .daemon import begun, daily, distant
from .lab import number, pss, say, table

YEARS, DAYS = 10, 3652
SETTLE_SECONDS = 5
CASES = {"10 daily items, no record": (daily(10), 0),
         "1,000 daily items, no record": (daily(1_000), 0),
         "1,000 items, 3 of them daily and answered for ten years": (distant(1_000, answered=3), DAYS),
         "1,000 daily items, 3 of them answered for ten years": (daily(1_000, answered=3), DAYS)}


def run(lab):
    rows = [[case, *measure(lab, case, *of)] for case, of in CASES.items()]
    return "\n".join([
        table(["case", "facts", "after the first start, PSS, MiB", "after the next, PSS, MiB", "of it anonymous, MiB"],
              rows), "",
        f"Measured {SETTLE_SECONDS} s after a start. The first one writes down the items, or builds the database from "
        "the journal; the next one finds all that. No peer keeps a record."])


def measure(lab, case, schedule, days):
    say(f"memory: {case}")
    dosed = begun(lab, schedule, days)
    first, _ = settled(dosed)
    dosed.restart()
    held = first, *settled(dosed)
    facts = dosed.journal.read_text().count("\n")
    measured = [f"{facts:,}", *map(number, held)]
    dosed.remove()
    return measured


def settled(dosed):
    """Returns what a daemon holds, and what of it is anonymous, once it has idled so long: that is what is measured."""
    time.sleep(SETTLE_SECONDS)
    return pss(dosed.pid), pss(dosed.pid, "Pss_Anon")
