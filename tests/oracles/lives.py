"""The slots of the schedules in tests/samples/lives, by python-dateutil: the rules are written here by hand, as their comments say
them, and nothing of the schedules is read. Prints a line for each slot of October and November 2026: sample, item, time, dose."""

from datetime import date, datetime

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, rrule

START, END = datetime(2026, 10, 1), datetime(2026, 12, 1)
WORKDAYS, WEEKEND, EVERY_DAY = [MO, TU, WE, TH, FR], [SA, SU], [MO, TU, WE, TH, FR, SA, SU]
FIRST, LAST = date(2026, 10, 1), date(2026, 11, 30)


def at(clock, days=EVERY_DAY, first=FIRST, last=LAST):
    """Weekly on these days, at this time, between two dates with both of them."""
    hour, minute = map(int, clock.split(":"))
    begins = datetime(first.year, first.month, first.day, hour, minute)
    ends = datetime(last.year, last.month, last.day, 23, 59)
    return list(rrule(WEEKLY, dtstart=begins, until=ends, byweekday=days))


def every(days, clock, first):
    """Every so many days from one day on."""
    hour, minute = map(int, clock.split(":"))
    return list(rrule(DAILY, interval=days, dtstart=datetime(first.year, first.month, first.day, hour, minute), until=END))


def on_off(on, off, clock, first):
    """So many days on, so many off, from one day on."""
    hour, minute = map(int, clock.split(":"))
    days = rrule(DAILY, dtstart=datetime(first.year, first.month, first.day, hour, minute), until=END)
    return [day for n, day in enumerate(days) if n % (on + off) < on]


SLOTS = []


def plan(sample, item, slots, dose):
    SLOTS.extend((sample, when, item, dose) for when in slots if START <= when < END)


plan("titration", "lamotrigine", at("08:00", first=date(2026, 10, 1), last=date(2026, 10, 14)), "25 mg")
plan("titration", "lamotrigine", at("08:00", first=date(2026, 10, 15), last=date(2026, 10, 28)), "50 mg")
plan("titration", "lamotrigine", at("08:00", first=date(2026, 10, 29)) + at("20:00", first=date(2026, 10, 29)), "50 mg")

plan("warfarin", "warfarin", at("18:00", [MO, WE, FR]), "5 mg")
plan("warfarin", "warfarin", at("18:00", [TU, TH, SA, SU]), "2.5 mg")
plan("warfarin", "in-turn", every(2, "06:30", date(2026, 10, 2)), "75 mcg")
plan("warfarin", "in-turn", every(2, "06:30", date(2026, 10, 3)), "88 mcg")

plan("thyroid", "thyroid", at("06:30", WORKDAYS) + at("09:30", WEEKEND), "100 mcg")
plan("thyroid", "calcium", at("14:00"), "600 mg + 400 IU")

plan("contraceptive", "pill", on_off(21, 7, "21:00", date(2026, 9, 14)), "1 tablet")

plan("patches", "fentanyl", every(3, "10:00", date(2026, 10, 3)), "1 patch")
plan("patches", "estradiol", at("09:00", [MO]) + at("21:00", [TH]), "1 patch")

for hour in range(7, 23, 3):
    plan("eye-drops", "eye-drops", at(f"{hour}:00", first=date(2026, 10, 10), last=date(2026, 10, 24)), "1-2 drops")

for clock in ("7:30", "12:30", "19:00"):
    plan("insulin", "rapid", at(clock), "8 units")
plan("insulin", "basal", at("22:00"), "22 units")

for hour in range(8, 23, 2):
    plan("water", "water", at(f"{hour}:00"), "1 glass")
plan("water", "walk", at("17:30", [MO, WE, SA]), "-")

for clock, first in (("4:30", 1), ("12:30", 3), ("20:30", 5), ("10:00", 7)):
    plan("shift-worker", "vitamin-d", on_off(2, 6, clock, date(2026, 10, first)), "2000 IU")

plan("household", "probiotic", at("08:00"), "10 billion CFU")
plan("household", "omega-3", at("12:00") + at("18:30"), "2 softgels")
plan("household", "b12", every(2, "09:00", date(2026, 10, 1)), "1/2 tablet")
plan("household", "vitamin-k2", at("12:00", WORKDAYS), "100 mcg")
plan("household", "magnesium", at("21:30"), "250-500 mg")
# The 31st, or the last day of a month that has none: the last of several that a month can have.
months = rrule(MONTHLY, dtstart=datetime(2026, 8, 31, 8), until=END, bymonthday=[28, 29, 30, 31], bysetpos=-1)
plan("household", "b-complex", list(months), "1 capsule")

for sample, when, item, dose in sorted(SLOTS):
    print(f"{sample} {item} {when:%Y-%m-%dT%H:%M} {dose}")
