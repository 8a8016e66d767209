"""A year of slots made from the rules of 1,000 items."""

from . import peers
from .lab import Absent, PEERS, absent_row, number, ratio, say, statistics, table, told

FROM, UNTIL = "2026-01-01", "2027-01-01"
ITEMS, QUICK_ITEMS = 1_000, 100
ROUNDS, QUICK_ROUNDS = 5, 2
HEAD = ["rules", "program", "slots", "time, s", "slots a second", "to the best peer"]

# How each program says a rule; cron has no every other day, so that croner gets the odd days of each month.
RULES = {
    "daily": {"dosed": 'times=["{at}"]', "dateutil": "FREQ=DAILY", "croner": "* * *", "remind": "REM AT {at}"},
    "every 2 days": {"dosed": 'every="2 days",from=2026-01-01,times=["{at}"]', "dateutil": "FREQ=DAILY;INTERVAL=2",
                     "croner": "1-31/2 * *", "remind": "REM 1 Jan 2026 *2 AT {at}"},
    "Mon..Fri": {"dosed": 'days="Mon..Fri",times=["{at}"]', "dateutil": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
                 "croner": "* * 1-5", "remind": "REM Mon Tue Wed Thu Fri AT {at}"},
    "every 3 months": {"dosed": 'every="3 months",from=2026-01-01,times=["{at}"]',
                       "dateutil": "FREQ=MONTHLY;INTERVAL=3", "croner": "1 */3 *",
                       "remind": "REM 1 AT {at} SATISFY [monnum($T) % 3 == 1]"},
}
MIXES = {"daily": ["daily"], "a mix": list(RULES)}


def run(lab):
    rows = [row for mix, rules in MIXES.items() for row in expand(lab, mix, rules)]
    return "\n".join([
        table(HEAD, rows), "",
        "Each is a whole program that reads the rules, makes the slots and prints one after the other to a file: "
        "`dosed simulate --json`, rrule of python-dateutil, croner, `remind -s12`. The mix has as many items of "
        "each of: " + ", ".join(RULES) + ". Cron has no every other day, croner gets the odd days."])


def expand(lab, mix, rules):
    say(f"expansion: {mix}")
    count = QUICK_ITEMS if lab.quick else ITEMS
    items = [(rules[n % len(rules)], f"{8 + n % 12:02}:{n % 60:02}") for n in range(count)]
    rows, measured = {}, {}
    for name, program in PROGRAMS.items():
        try:
            measured[name] = times(lab, *program(lab, items))
        except Absent as why:
            rows[name] = absent_row(name, why, len(HEAD) - 1)
    paces = {name: slots / statistics.median(took) for name, (slots, took) in measured.items()}
    best = max((pace for name, pace in paces.items() if name != "dosed"), default=None)
    for name, (slots, took) in measured.items():
        rows[name] = [name, f"{slots:,}", told(took), number(paces[name]), ratio(paces[name], best)]
    return [[mix, *rows[name]] for name in PROGRAMS]


def times(lab, command, script, mark):
    """Returns the number of slots that a program makes, and the seconds that it takes each time."""
    made, took = lab.directory() / "slots", []
    for _ in range(QUICK_ROUNDS if lab.quick else ROUNDS):
        with script.open() as rules, made.open("w") as out:
            took.append(lab.timed(*command, stdin=rules, stdout=out)[0])
    return made.read_text().count(mark), took


# Each of the following returns a command, the rules on its standard input or in its file, and what marks a slot.

def dosed(lab, items):
    words = (f'{{id="item-{n}",{RULES[rule]["dosed"].format(at=at)}}}' for n, (rule, at) in enumerate(items))
    script = write(lab, "supplement = [" + ",".join(words) + "]\n")
    command = [lab.dosed, "simulate", "--schedule", script, "--from", FROM, "--until", UNTIL, "--json"]
    return command, script, '"planned"'


def dateutil(lab, items):
    if "python-dateutil" not in peers.modules(lab):
        raise Absent("python-dateutil cannot be installed here")
    script = write(lab, "".join(f"{at} {RULES[rule]['dateutil']}\n" for rule, at in items))
    return [lab.python, PEERS / "recurrences.py", FROM, UNTIL], script, "\n"


def croner(lab, items):
    clock = ((rule, *at.split(":")) for rule, at in items)
    script = write(lab, "".join(f"{int(minute)} {int(hour)} {RULES[rule]['croner']}\n" for rule, hour, minute in clock))
    return [lab.example("croner"), FROM, UNTIL], script, "\n"


def remind(lab, items):
    lines = (f"{RULES[rule]['remind'].format(at=at)} MSG item-{n}\n" for n, (rule, at) in enumerate(items))
    script = write(lab, "".join(lines))
    return [peers.needed("remind"), "-s12", script, FROM], script, "\n"


def write(lab, text):
    path = lab.directory() / "rules"
    path.write_text(text)
    return path


PROGRAMS = {"dosed": dosed, "python-dateutil": dateutil, "croner": croner, "remind": remind}
