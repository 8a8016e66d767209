"""The peer: python-dateutil, which expands recurrence rules. Use: recurrences.py FROM UNTIL < RULES

Each line of the input is a time of the day, a space and an RRULE; each slot between the two dates is one
line of the output."""

import sys
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrulestr


def main():
    first, until = (datetime.combine(date.fromisoformat(text), time()) for text in sys.argv[1:])
    last = until - timedelta(seconds=1)
    for line in sys.stdin:
        at, rule = line.split()
        begins = datetime.combine(first, time.fromisoformat(at))
        for slot in rrulestr(rule, dtstart=begins).between(first, last, inc=True):
            print(slot.isoformat())


if __name__ == "__main__":
    main()
