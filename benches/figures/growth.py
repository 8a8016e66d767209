"""How memory and times grow with the items and with the years of record."""

from datetime import timedelta

from . import expansion
from .daemon import begun, daily, midnight, time_questions
from .lab import number, pss, say, statistics, table

ANSWERED_ITEMS = 3
ITEMS = (10, 100, 1_000)
YEARS = (0.1, 1, 10)
ASKED, QUICK_ASKED = 50, 10
STARTS = 3
MEASURES = ("PSS, MiB", "start, ms", "`/v1/today`, ms", "`/v1/adherence`, ms", "expansion of a year, s")

# Why each grows as it does, by measure and by what grows.
EXPLANATIONS = {
    ("PSS, MiB", "items"): "the code and sled's own tables come first; an item adds its regimen and "
                           "its deadlines",
    ("start, ms", "items"): "opening sled comes first; each item is read, compared with the record and given a job",
    ("`/v1/today`, ms", "items"): "a row for each item",
    ("`/v1/adherence`, ms", "items"): "each item has its own rows and slots",
    ("expansion of a year, s", "items"): "every slot is made and printed",
    ("PSS, MiB", "years"): "the record stays on the disk; sled keeps a bounded cache",
    ("start, ms", "years"): "the whole journal is read and each line's checksum is looked at",
    ("`/v1/today`, ms", "years"): "it is of one day",
    ("`/v1/adherence`, ms", "years"): "each slot is counted",
}

# A tenfold of the size makes so much of the measure; a step below the first is flat, and so on.
STEPS = ((1.5, "flat"), (6, "less than linear"), (16, "linear"), (float("inf"), "worse than linear"))


def run(lab):
    by_items = {f"{items:,} items": measure(lab, items, 1) for items in ITEMS}
    by_years = {f"{years:g} years": measure(lab, ITEMS[1], years) for years in YEARS}
    return "\n".join([
        table(["with one year", *MEASURES], [[size, *map(number, of)] for size, of in by_items.items()]), "",
        table([f"with {ITEMS[1]} items", *MEASURES], [[size, *map(number, of)] for size, of in by_years.items()]), "",
        f"All items are daily, {ANSWERED_ITEMS} of them answered. Adherence is asked for over the whole record. "
        "What a tenfold makes of it, at each of the two steps:", "",
        table(["measure", "with", "at 10x", "at 100x", "so it is", "why"],
              [*judge("items", by_items), *judge("years", by_years)])])


def measure(lab, items, years):
    say(f"growth: {items} items, {years} years")
    days = round(365.25 * years)
    dosed = begun(lab, daily(items, answered=ANSWERED_ITEMS), days)
    starts = [dosed.restart() * 1000 for _ in range(STARTS)]
    memory = pss(dosed.pid)
    count = QUICK_ASKED if lab.quick else ASKED
    since, until = midnight().date() - timedelta(days=days), midnight().date()
    today = time_questions(dosed, "/v1/today", count)
    adherence = time_questions(dosed, f"/v1/adherence?since={since}&until={until}", count)
    _, took = expansion.times(lab, *expansion.dosed(lab, [("daily", "08:00")] * items))
    dosed.remove()
    return [memory, *map(statistics.median, (starts, today, adherence, took))]


def judge(grown, sizes):
    for n, name in enumerate(MEASURES):
        small, medium, large = (of[n] for of in sizes.values())
        if grown == "years" and name.startswith("expansion"):
            continue  # it reads no record
        steps = medium / small, large / medium
        word = next(word for limit, word in STEPS if steps[1] < limit)
        why = EXPLANATIONS.get((name, grown), "")
        yield [name, grown, f"{number(steps[0])}x", f"{number(large / small)}x", word, why]
