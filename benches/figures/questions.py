"""How long the questions that are asked most wait for their answer."""

from .daemon import begun, daily, distant, time_questions
from .lab import number, percentile, say, statistics, table, told

DAYS = 3652
PATHS = ("/v1/today", "/v1/status")
ASKED, QUICK_ASKED = 1_000, 100
# Each time with one more fact of that day to look at: a day has a few of them.
ASKED_AFTER_A_FACT = 50
RECORDED = "/v1/items/item-0/log"
# Nobody waits a quarter of an hour for a figure: what is slow is asked less often.
SECONDS = 20
CASES = {"10 daily items, no record": (daily(10), 0),
         "10 daily items, 3 of them answered for ten years": (daily(10, answered=3), DAYS),
         "1,000 items, 3 of them daily and answered for ten years": (distant(1_000, answered=3), DAYS),
         "1,000 daily items, 3 of them answered for ten years": (daily(1_000, answered=3), DAYS)}


def run(lab):
    rows = [row for case, of in CASES.items() for row in ask(lab, case, *of)]
    return "\n".join([
        table(["case", "question", "asked", "bytes", "p50, ms", "p99, ms", "range, ms", "after a fact, ms"], rows), "",
        "Over one connection that is kept, one after the other. The last column has "
        f"{ASKED_AFTER_A_FACT} questions, before each of which something was recorded."])


def ask(lab, case, schedule, days):
    say(f"questions: {case}")
    dosed = begun(lab, schedule, days)
    for path in PATHS:
        size = len(dosed.ask().get(path)[1])
        pace = statistics.median(time_questions(dosed, path, 10)) / 1000
        count = max(10, min(QUICK_ASKED if lab.quick else ASKED, int(SECONDS / pace)))
        times = time_questions(dosed, path, count)
        yield [case, f"`GET {path}`", f"{count:,}", f"{size:,}", number(statistics.median(times)),
               number(percentile(times, 0.99)), f"{number(min(times))}..{number(max(times))}", after_a_fact(dosed, path)]
    dosed.remove()


def after_a_fact(dosed, path):
    """Tells how long an answer takes right after something was recorded."""
    connection = dosed.ask()
    times = time_questions(dosed, path, ASKED_AFTER_A_FACT, between=lambda: connection.post(RECORDED))
    connection.close()
    return told(times)
