"""From the planned second until the notification is called for on the session bus."""

import re
import time
from datetime import datetime, timedelta

from . import peers
from .daemon import Dosed
from .lab import Absent, absent_row, end, number, percentile, ratio, say, statistics, table, wait_for

# Each minute is shared: its beginning is for those that know no seconds, the rest goes round.
SHARED_SECONDS = range(5, 56)
MINUTES, QUICK_MINUTES = 6, 1
AT_ONCE = 1_000
PATIENCE_SECONDS = 60
HEAD = ["program", "reminders", "not shown", "median, ms", "p99, ms", "range, ms", "median to the best peer"]
HEAD_AT_ONCE = ["program", "shown within 60 s", "first call, s", "last call, s", "all delivered in the record, s",
                "last to the best peer"]


def run(lab):
    minutes = QUICK_MINUTES if lab.quick else MINUTES
    return "\n".join([
        one_by_one(lab, minutes), "",
        f"One reminder a second over {minutes} min, by turns: dosed, APScheduler, tokio-cron-scheduler. cron and "
        "remind know no seconds; both have the beginning of each minute. dosed notifies by itself, the peers with "
        "notify-send as their documents show. The calls are dated by dbus-monitor. The server is one that shows "
        "nothing and answers at once: notify-send first asks it who it is, and one that draws would delay the peers; "
        "dunst stops answering when hundreds call in one second.", "",
        f"{AT_ONCE:,} that are due in one second:", "",
        at_once(lab), "",
        "dosed shows them as one bundle and records each; the last column of it ends when `GET /v1/facts` told "
        "all. The peers call once for each."])


def one_by_one(lab, minutes):
    desk = peers.Desk(lab)
    lab.dosed, lab.example("stock")  # built before the time is set
    say(f"latency: one by one, {minutes} min")
    begins = next_minute(patience=15)
    slots = [begins + timedelta(minutes=m, seconds=s) for m in range(minutes) for s in SHARED_SECONDS]
    turns = {name: slots[n::3] for n, name in enumerate(("dosed", "APScheduler", "tokio-cron-scheduler"))}
    whole = [begins + timedelta(minutes=m) for m in range(minutes)]
    turns |= {"cron": whole, "remind -z": whole}
    children, rows = {}, {}
    for name, due in turns.items():
        try:
            children[name] = STARTS[name](lab, named(name, due), desk.env).child
        except Absent as why:
            rows[name] = absent_row(name, why, len(HEAD))
    time.sleep((begins + timedelta(minutes=minutes, seconds=3) - now()).total_seconds())
    for child in children.values():
        end(child)
    desk.close()
    delays = {name: [delay for when in turns[name] if (delay := first_call(desk, name, when)) is not None]
              for name in children}
    medians = {name: statistics.median(of) for name, of in delays.items() if of}
    best = min((median for name, median in medians.items() if name != "dosed"), default=None)
    for name, of in delays.items():
        rows[name] = row(name, of, len(turns[name]), best)
    return table(HEAD, [rows[name] for name in turns])


def row(name, delays, planned, best):
    if not delays:
        return absent_row(name, "nothing was shown", len(HEAD))
    median = statistics.median(delays)
    return [name, planned, planned - len(delays), number(median), number(percentile(delays, 0.99)),
            f"{number(min(delays))}..{number(max(delays))}", ratio(median, best)]


def named(name, due):
    return [(when, text_of(name, when)) for when in due]


def text_of(name, when):
    """Returns what is shown: who was to show it, and when."""
    word = re.sub(r"[^a-z]", "", name.lower())
    return f"{word}-due-{int(when.timestamp())}"


def first_call(desk, name, when):
    """Returns the milliseconds until a reminder was on the bus, or None."""
    due = when.timestamp()
    # dosed shows what is open together, and names not all of it: its next turn is three seconds later.
    times = [at for at, call in desk.calls() if text_of(name, when) in call
             or (name == "dosed" and 'string "dosed"' in call and due <= at < due + 3)]
    return (min(times) - due) * 1000 if times else None


def start_dosed(lab, due, env):
    items = (f'{{id="{text}",name="{text}",times=["{when:%H:%M:%S}"]}}' for when, text in due)
    dosed = Dosed(lab, "supplement = [" + ",".join(items) + "]\n", env)
    dosed.start()
    connection = dosed.ask()
    wait_for(lambda: b'"state":"ready"' in connection.get("/v1/status")[1], 10, "it finds no notification server")
    return dosed


STARTS = {"dosed": start_dosed, "APScheduler": peers.apscheduler, "tokio-cron-scheduler": peers.stock,
          "cron": peers.cron, "remind -z": peers.remind}


def at_once(lab):
    results, rows = {}, {}
    for name, start in STARTS.items():
        say(f"latency: {AT_ONCE} at once, {name}")
        try:
            results[name] = all_of(lab, peers.Desk(lab), name, start)
        except Absent as why:
            rows[name] = absent_row(name, why, len(HEAD_AT_ONCE))
    complete = {name: last for name, (missing, _, _, last, _) in results.items() if not missing}
    best = min((last for name, last in complete.items() if name != "dosed"), default=None)
    for name, (missing, shown, first, last, recorded) in results.items():
        to_best = f"{missing:,} are missing" if missing else ratio(last, best)
        rows[name] = [name, shown, number(first), number(last), recorded, to_best]
    return table(HEAD_AT_ONCE, [rows[name] for name in STARTS])


def all_of(lab, desk, name, start):
    """Returns how many are missing and were shown, and the seconds until the first, the last, and all recorded."""
    due = next_minute(patience=8) if name in ("cron", "remind -z") else now() + timedelta(seconds=8)
    due = due.replace(microsecond=0)
    word = text_of(name, due)
    program = start(lab, [(due, f"{word}-{n}") for n in range(AT_ONCE)], desk.env)
    time.sleep((due - now()).total_seconds())
    recorded = ""
    if name == "dosed":
        recorded = number(all_recorded(program) - due.timestamp())
        calls = [at for at, call in desk.calls() if at >= due.timestamp() and 'string "dosed"' in call]
        missing, shown = 0, f"{AT_ONCE:,} in {len(calls)} bundle(s)"
    else:
        calls = wait_for_calls(desk, word, due)
        missing, shown = AT_ONCE - len(calls), f"{len(calls):,} of {AT_ONCE:,}"
    end(program.child)
    desk.close()
    if not calls:
        raise Absent("nothing was shown")
    return missing, shown, calls[0] - due.timestamp(), calls[-1] - due.timestamp(), recorded


def all_recorded(dosed):
    """Waits until every delivery is recorded. The file is looked at, so that dosed is asked only once."""
    journal = dosed.journal
    wait_for(lambda: journal.read_bytes().count(b'"type":"delivered"') == AT_ONCE, PATIENCE_SECONDS,
             f"it does not deliver all {AT_ONCE}")
    _, facts = dosed.ask().get("/v1/facts")
    if facts.count(b'"type":"delivered"') != AT_ONCE:
        raise Absent("not all deliveries are told")
    return time.time()


def wait_for_calls(desk, word, due):
    calls = []
    while len(calls) < AT_ONCE and (now() - due).total_seconds() < PATIENCE_SECONDS:
        time.sleep(1)
        calls = [at for at, call in desk.calls() if word in call]
    return calls


def now():
    return datetime.now().astimezone()


def next_minute(patience):
    """Returns the beginning of a minute that leaves so many seconds to get ready."""
    return (now() + timedelta(seconds=patience)).replace(second=0, microsecond=0) + timedelta(minutes=1)
