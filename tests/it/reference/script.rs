//! A life as a script that a person can read and type.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Start;
use super::life::{Deed, Form, Item, Op, OpId, Spec, Verb, When, ZONES, name, zone};
use std::collections::BTreeMap;

pub(super) fn script(start: Start, ops: &[Op]) -> String {
    let mut specs: BTreeMap<Item, Spec> = BTreeMap::new();
    let mut index = start.zone;
    let mut text = String::new();
    for op in ops {
        let here = zone(index);
        text += &format!("# {}: at {} [{}]\n", op.id, local(op.at, &here), ZONES[index]);
        text += &match &op.deed {
            Deed::Edit(item, spec) => {
                match spec {
                    Some(spec) => specs.insert(*item, spec.clone()),
                    None => specs.remove(item),
                };
                let schedule: String = specs.iter().map(|(item, spec)| spec.toml(*item)).collect();
                format!("cat > schedule.toml <<'END'\n{schedule}END\n")
            }
            Deed::Travel(to) => {
                index = *to;
                format!("timedatectl set-timezone {}\n", ZONES[*to])
            }
            deed => line(deed, &here),
        };
    }
    text
}

fn local(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn fact(of: Option<OpId>) -> String {
    of.map(|of| format!(" \"$FACT_OF_{of}\"")).unwrap_or_default()
}

fn filled(form: Option<Form>) -> String {
    match form {
        None => String::new(),
        Some(Form::CheckIn(rest, energy)) => {
            let energy = energy.map(|energy| format!(" energy={energy}")).unwrap_or_default();
            format!(" rest={rest}{energy}")
        }
        Some(Form::Scan(density)) => format!(" region=total-hip bmd=0.{density:04}"),
    }
}

fn line(deed: &Deed, zone: &TimeZone) -> String {
    let at = |when: Option<When>| match when {
        None => String::new(),
        Some(When::Instant(at)) => format!(" --at {}", local(at, zone)),
        Some(When::Date(date)) => format!(" --at {date}"),
    };
    let amount =
        |amount: Option<u32>| amount.map(|amount| format!(" --amount '{amount} mg'")).unwrap_or_default();
    let time = |key: &str, time: Option<Timestamp>| {
        time.map(|time| format!(" --{key} {}", local(time, zone))).unwrap_or_default()
    };
    let of = |item: Option<Item>| item.map(|item| format!(" {}", name(item))).unwrap_or_default();
    match deed {
        Deed::Answer { verb, item, slot, at: when, amount: much, form, length, confirmed } => {
            let verb = match verb {
                Verb::Take => "take",
                Verb::Skip => "skip",
                Verb::Snooze => "snooze",
                Verb::Log => "log",
            };
            let slot = slot.map(|slot| format!("@{slot}")).unwrap_or_default();
            let length = length.map(|length| format!(" {length}m")).unwrap_or_default();
            let again = if *confirmed { " --again" } else { "" };
            let form = filled(*form);
            format!("dosed {verb} {}{slot}{length}{}{}{again}{form}\n", name(*item), at(*when), amount(*much))
        }
        Deed::Undo(op) => format!("dosed undo{}\n", fact(*op)),
        Deed::Correct { of, at: when, amount: much, form } => {
            format!("dosed correct{}{}{}{}\n", fact(*of), at(*when), amount(*much), filled(*form))
        }
        Deed::Pause { item, from, until } => {
            format!("dosed pause{}{}{}\n", of(*item), time("from", *from), time("until", *until))
        }
        Deed::Resume(item) => format!("dosed resume{}\n", of(*item)),
        Deed::Stock { item, counted, doses } => {
            format!("dosed stock {} {}{doses}\n", name(*item), if *counted { "" } else { "+" })
        }
        Deed::Clock(to) => format!("# the clock shows {} now\n", local(*to, zone)),
        Deed::Arrival(device, lines) => {
            let lines = lines
                .iter()
                .map(|line| format!("#   {}: {:?} at {}\n", line.op, line.what, local(line.recorded, zone)));
            format!("# lines of device {device} arrive:\n{}", lines.collect::<String>())
        }
        Deed::Restart => "systemctl --user restart dosed\n".to_owned(),
        Deed::Server(there) => {
            format!("# the notification server {}\n", if *there { "comes" } else { "goes" })
        }
        Deed::Quiet(quiet) => {
            let hours =
                quiet.map(|(from, until)| format!("{}..{}", from.strftime("%H:%M"), until.strftime("%H:%M")));
            format!("# quiet = {hours:?} at the head of the schedule\n")
        }
        Deed::FullDisk(deed) => format!("# while the disk is full: {}", line(deed, zone)),
        Deed::Kill(deed) => format!("# the daemon is killed before it replies: {}", line(deed, zone)),
        Deed::Wait | Deed::Edit(..) | Deed::Travel(_) => String::new(),
    }
}
