"""Says when local times are due around every change of every zone's clocks, 2020 to 2037.

Python's zoneinfo is the oracle: it reads the same time zone database as the program under test, by
other code. A local time with fold=0 is RFC 5545's rule: in a gap the offset before it holds, so the
time shifts forward; of two equal times the first counts.

Lines, all times on a grid of half hours from a day before a change to a day after it:

    zones NAME...                     names that stand for the same file
    change INSTANT LOCAL MINUTE...    a change at INSTANT (seconds since 1970); the grid begins at LOCAL,
                                      and each MINUTE (since 1970) is the instant of its next local time
    still INSTANT LOCAL MINUTE...     the same for zones that never change: any instant
    end NAMES CHANGES                 the number of names, and of changes times names
"""

import sys
import zoneinfo
from datetime import datetime, timedelta, timezone
from pathlib import Path

FIRST = int(datetime(2020, 1, 1, tzinfo=timezone.utc).timestamp())
LAST = int(datetime(2038, 1, 1, tzinfo=timezone.utc).timestamp())
STEP = 6 * 3600
GRID = timedelta(minutes=30)
DAY = timedelta(days=1)
# Where a zone that never changes is looked at.
STILL = int(datetime(2026, 6, 15, 12, tzinfo=timezone.utc).timestamp())


def names():
    """Returns every name of a zone, without the copies that are kept for special uses."""
    skip = ("localtime", "Factory")
    return sorted(
        name
        for name in zoneinfo.available_timezones()
        if not name.startswith(("posix/", "right/")) and name not in skip
    )


def groups():
    """Returns the names in groups of equal file content; a name without a file stands alone."""
    found = {}
    for name in names():
        files = (Path(root, name) for root in zoneinfo.TZPATH)
        file = next((file for file in files if file.is_file()), None)
        found.setdefault(file.read_bytes() if file else name, []).append(name)
    return found.values()


def offset(zone, instant):
    return datetime.fromtimestamp(instant, zone).utcoffset()


def changes(zone):
    """Yields the first second of every new offset."""
    before = offset(zone, FIRST)
    for end in range(FIRST + STEP, LAST, STEP):
        after = offset(zone, end)
        if after == before:
            continue
        low, high = end - STEP, end
        while high - low > 1:
            middle = (low + high) // 2
            if offset(zone, middle) == before:
                low = middle
            else:
                high = middle
        # The bisection knows one change a step; two would end here.
        assert offset(zone, high) == after, (zone, high)
        yield high
        before = after


def grid(zone, change):
    """Returns the first local time round a change, and the instants of all in minutes."""
    instant = datetime.fromtimestamp(change, timezone.utc).replace(tzinfo=None)
    locals_ = (instant + offset(zone, change - 1), instant + offset(zone, change))
    start = min(locals_) - DAY
    start -= (start - datetime.min) % GRID
    end = max(locals_) + DAY
    minutes = []
    local = start
    while local <= end:
        at = local.replace(tzinfo=zone, fold=0).timestamp()
        assert at % 60 == 0, (zone, local)
        minutes.append(int(at) // 60)
        local += GRID
    return start, minutes


def main():
    count = total = 0
    out = sys.stdout
    for group in groups():
        zone = zoneinfo.ZoneInfo(group[0])
        count += len(group)
        print("zones", *group, file=out)
        found = list(changes(zone))
        total += len(found) * len(group)
        for change in found or [STILL]:
            start, minutes = grid(zone, change)
            word = "change" if found else "still"
            print(word, change, start.isoformat(timespec="minutes"), *minutes, file=out)
    print("end", count, total, file=out)


if __name__ == "__main__":
    main()
