"""Ten years of three daily items summed up."""

import json
import sqlite3
import time
from datetime import timedelta

from .daemon import Dosed, daily, midnight, time_questions
from .lab import Absent, number, pss, ratio, say, statistics, table, told

DAYS = 3652
ITEMS = 3
ASKED, QUICK_ASKED = 100, 10
FIRST_ASKED = 10

# What was planned and was asked about, was or was not taken, and on which days nothing of it was left out.
QUERY = """
SELECT item, count(*), sum(taken), 1.0 * sum(taken) / count(*), count(DISTINCT CASE WHEN covered THEN day END)
FROM (
    SELECT item, slot, day, taken, min(taken) OVER (PARTITION BY item, day) AS covered
    FROM (
        SELECT item, slot, substr(slot, 1, 10) AS day, max(kind = 'intake') AS taken
        FROM facts WHERE slot >= ? AND slot < ? GROUP BY item, slot
    )
)
GROUP BY item
"""


def run(lab):
    say("adherence")
    dosed = Dosed(lab, daily(ITEMS, answered=ITEMS))
    answers = dosed.write_record(DAYS)
    dosed.start()
    since, until = midnight().date() - timedelta(days=DAYS), midnight().date()
    count = QUICK_ASKED if lab.quick else ASKED
    path = f"/v1/adherence?since={since}&until={until}"
    first = [first_time(dosed, path) for _ in range(FIRST_ASKED)]
    ours = time_questions(dosed, path, count)
    held = pss(dosed.pid)
    theirs, taken = query(lab, answers, since, until, count)
    compare_taken(json.loads(dosed.ask().get(path)[1]), taken)
    rows = [[name, len(times), told(times), ratio(statistics.median(times), statistics.median(theirs))]
            for name, times in (("dosed, right after its start", first), ("dosed", ours), ("SQLite", theirs))]
    return "\n".join([
        table(["program", "asked", "answer, ms", "to SQLite"], rows), "",
        f"{DAYS:,} days of {ITEMS} items: {len(answers):,} slots, {sum(len(list(a.facts())) for a in answers):,} "
        "facts. dosed reads all of them for each question. It also tells months, streaks, timing and bounds, and answers over its socket; SQLite tells "
        "planned, taken, share and days fully covered in one query, within the process that asks. Both count the same "
        f"intakes. After its questions dosed holds {number(held)} MiB."])


def first_time(dosed, path):
    dosed.restart()
    return time_questions(dosed, path, 1)[0]


def query(lab, answers, since, until, count):
    """Returns the milliseconds of each query, and what was taken of each item."""
    database = sqlite3.connect(lab.directory() / "record.db")
    database.execute("CREATE TABLE facts (item TEXT, slot TEXT, kind TEXT)")
    database.executemany("INSERT INTO facts VALUES (?, ?, ?)", (
        (answer.item, f"{answer.slot:%Y-%m-%dT%H:%M}", fact["type"]) for answer in answers for fact in answer.facts()))
    database.execute("CREATE INDEX by_slot ON facts (item, slot, kind)")
    database.commit()
    times = []
    for _ in range(count):
        began = time.perf_counter()
        rows = database.execute(QUERY, (str(since), str(until))).fetchall()
        times.append((time.perf_counter() - began) * 1000)
    return times, {item: taken for item, _, taken, _, _ in rows}


def compare_taken(rows, taken):
    """A quick answer that is wrong would be no answer."""
    ours = {row["item"]: row["taken"] for row in rows}
    if ours != taken:
        raise Absent(f"it counts {ours}, SQLite {taken}")
