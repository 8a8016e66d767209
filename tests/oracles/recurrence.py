"""Says when random rules fall, as python-dateutil's `rrule` (RFC 5545) sees them.

Prints one JSON object: the seed, and the rules. Of each rule its parts (`every`, `unit`, `days`,
`times`, `from`, `until`, `cycle`), the instant at which it is `opened`, the window that is asked
about, and what falls into it. All times are UTC without a mark. With `--named`, the rules are those
that have a test of their own, most of them as the program under test means something else.

Runs with the interpreter that Debian's package python3-dateutil belongs to.
"""

import json
import random
import sys
from datetime import date, datetime, time, timedelta

from dateutil import rrule, tz

SEED = 20261125
RULES = 400
MOST = 500  # slots of one rule, about
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
FREQUENCIES = {
    "hour": rrule.HOURLY,
    "minute": rrule.MINUTELY,
    "day": rrule.DAILY,
    "week": rrule.WEEKLY,
    "month": rrule.MONTHLY,
    "year": rrule.YEARLY,
}
UNITS = ["day", "day", "day", "week", "week", "month", "month", "year", "hour", "minute"]
UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365, "hour": 1 / 24, "minute": 1 / 1440}
TIMED = ("hour", "minute")


def some_times(rng, most):
    """Returns times of the day as hours, minutes and seconds that are combined with each other."""
    hours = sorted(rng.sample(range(24), rng.randint(1, most)))
    minutes = sorted(rng.sample(range(60), rng.randint(1, 2)))
    seconds = [rng.choice([0, 0, 0, 30])]
    return hours, minutes, seconds


def some_rule(rng):
    """Returns the parts of a random rule."""
    unit = rng.choice(UNITS)
    every = {"hour": rng.randint(1, 72), "minute": rng.randint(20, 2000), "year": rng.randint(1, 3)}
    rule = {"unit": unit, "every": every.get(unit) or rng.choice([1, 1, 2, 3, 4, 5, 10, 13])}
    start = date(2022, 1, 1) + timedelta(days=rng.randrange(1000))
    if unit in ("month", "year") and start.day > 28:
        start = start.replace(day=rng.randint(1, 28))
    if unit in TIMED:
        rule["clock"] = ([rng.randrange(24)], [rng.randrange(60)], [0])
    else:
        rule["clock"] = some_times(rng, 3 if unit == "day" else 2)
    # Seven days with weekdays are weeks to the program under test; see --named.
    can_have_days = unit == "week" or (unit == "day" and rule["every"] % 7 != 0)
    if can_have_days and rng.random() < 0.6:
        rule["days"] = sorted(rng.sample(range(7), rng.randint(1, 5)))
    if unit == "day" and rng.random() < 0.2:
        rule["cycle"] = [rng.randint(1, 21), rng.randint(1, 10)]
    opened = datetime.combine(start, time(rng.randrange(24), rng.randrange(60)))
    if unit in TIMED or rng.random() < 0.7:
        rule["from"] = start
        opened += timedelta(days=rng.randint(-40, 40))
    span = rule["every"] * UNIT_DAYS[unit]
    horizon = min(span * MOST / len(rule["clock"][0]), 6000 if unit == "year" else 1500)
    if rng.random() < 0.4:
        rule["until"] = start + timedelta(days=int(horizon * rng.uniform(0.2, 0.9)))
    rule["opened"] = opened
    begin = max(opened, datetime.combine(start, time()))
    begin += timedelta(hours=rng.randint(-100, rng.choice([100, 20000])))
    rule["window"] = [begin, begin + timedelta(days=horizon)]
    if rng.random() < 0.2 and "until" not in rule:
        rule["count"] = rng.randint(1, 12 if unit == "year" else 60)
    return rule


def iterate(rule):
    """Yields the slots of a rule from its first day on, without regard to the window."""
    hours, minutes, seconds = rule["clock"]
    start = datetime.combine(rule.get("from", rule["opened"].date()), time())
    options = {"interval": rule["every"], "wkst": rrule.MO, "count": rule.get("count")}
    if rule["unit"] in TIMED:
        start = start.replace(hour=hours[0], minute=minutes[0])
    else:
        options.update(byhour=hours, byminute=minutes, bysecond=seconds)
    if "until" in rule:
        options["until"] = datetime.combine(rule["until"], time(23, 59, 59))
    if "days" in rule:
        options["byweekday"] = rule["days"]
    return rrule.rrule(FREQUENCIES[rule["unit"]], dtstart=start, **options)


def days_on(rule, last):
    """Returns the days of a cycle, as one rule for each of its days on."""
    on, off = rule["cycle"]
    start = datetime.combine(rule.get("from", rule["opened"].date()), time())
    found = rrule.rruleset()
    for day in range(on):
        first = start + timedelta(days=day)
        found.rrule(rrule.rrule(rrule.DAILY, interval=on + off, dtstart=first, until=last))
    return {day.date() for day in found}


def answer(rule):
    """Fills in what falls into the window, and the window itself where a count decides it."""
    if "count" in rule:
        # Counted from the first slot on: the window takes in all that there are.
        rule.pop("cycle", None)
        first = rule.get("from", rule["opened"].date())
        if "from" in rule or rule["unit"] not in TIMED:
            rule["opened"] = datetime.combine(first, time())
        slots = list(iterate(rule))
        rule["window"] = [rule["opened"], slots[-1] + timedelta(seconds=1)]
    begin, end = rule["window"]
    # No slot is planned before the item is known.
    slots = iterate(rule).between(max(begin, rule["opened"]), end, inc=True)
    slots = [slot for slot in slots if slot < end]
    if "cycle" in rule:
        on = days_on(rule, end)
        slots = [slot for slot in slots if slot.date() in on]
    rule["expected"] = slots
    return rule


def readable(rule):
    """Returns a rule in the words of the schedule file."""
    hours, minutes, seconds = rule.pop("clock")
    rule["times"] = [time(h, m, s) for h in hours for m in minutes for s in seconds]
    if "days" in rule:
        rule["days"] = [WEEKDAYS[day] for day in rule["days"]]
    return rule


def named_rules():
    """Returns, by name, what dateutil says of the rules that have a test of their own."""

    def rule(unit, every, start, end, **parts):
        start = datetime.combine(start, time())
        parts |= {"unit": unit, "every": every, "from": start.date(), "opened": start}
        parts |= {"clock": ([9], [0], [0]), "window": [start, datetime.combine(end, time())]}
        return readable(answer(parts))

    def answer_with(options, rule):
        """Returns a rule with another answer than the one that the random rules are held to."""
        start, end = rule["window"]
        slots = rrule.rrule(dtstart=start.replace(hour=9), **options).between(start, end, inc=True)
        return rule | {"expected": slots}

    wednesday = date(2026, 11, 25)
    august = rule("week", 2, date(1997, 8, 5), date(1997, 8, 30), days=[1, 6])
    sunday_weeks = {"freq": rrule.WEEKLY, "interval": 2, "wkst": rrule.SU, "byweekday": [rrule.TU, rrule.SU]}
    gap = datetime(2026, 3, 29, 2, 30, tzinfo=tz.gettz("Europe/Berlin"))
    return {
        "month": rule("month", 1, date(2026, 1, 31), date(2026, 8, 1)),
        "year": rule("year", 1, date(2024, 2, 29), date(2029, 1, 1)),
        "seven-days": rule("day", 7, wednesday, date(2026, 12, 25), days=[0, 3]),
        "sunday-weeks": answer_with(sunday_weeks, august),
        "century": rule("year", 2, date(2022, 4, 25), date(2122, 5, 1)),
        "gap": {"expected": [gap.astimezone(tz.UTC).replace(tzinfo=None)]},
    }


def main():
    rng = random.Random(SEED)
    if "--named" in sys.argv[1:]:
        found = named_rules()
    else:
        found = {"seed": SEED, "rules": [readable(answer(some_rule(rng))) for _ in range(RULES)]}
    json.dump(found, sys.stdout, default=lambda value: value.isoformat())


if __name__ == "__main__":
    main()
