//! The command line: arguments, help and examples. It decides nothing.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use clap_complete::engine::ArgValueCandidates;

use super::completion;

/// Reminds at dose time, and keeps a record of what you answered.
#[derive(Debug, Parser)]
#[command(
    name = "dosed",
    version,
    about,
    max_term_width = 100,
    after_help = "Start with `dosed daemon` in one terminal and `dosed today` in another.\n\
                  Environment: DOSED_SCHEDULE, DOSED_DATA_DIR and DOSED_SOCKET set the same as the options."
)]
pub struct Cli {
    /// Where things are.
    #[command(flatten)]
    pub places: PathOptions,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Where things are, when not in their default places.
#[derive(Clone, Debug, Default, Args)]
pub struct PathOptions {
    /// The schedule file [default: ~/.config/dosed/schedule.toml]
    #[arg(long, global = true, value_name = "FILE", env = "DOSED_SCHEDULE", hide_env = true)]
    pub schedule: Option<PathBuf>,
    /// The directory of the record [default: ~/.local/share/dosed]
    #[arg(long, global = true, value_name = "DIR", env = "DOSED_DATA_DIR", hide_env = true)]
    pub data_dir: Option<PathBuf>,
    /// The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]
    #[expect(clippy::doc_markdown, reason = "the help shows it as it is")]
    #[arg(long, global = true, value_name = "FILE", env = "DOSED_SOCKET", hide_env = true)]
    pub socket: Option<PathBuf>,
}

/// How output is printed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Output {
    /// Print JSON, for other programs
    #[arg(long)]
    pub json: bool,
}

/// How a form is filled in.
#[derive(Clone, Debug, Default, Args)]
pub struct FormArgs {
    /// An answer, as `name=value`; may be given several times
    #[arg(long = "answer", value_name = "NAME=VALUE")]
    pub answers: Vec<String>,
    /// When: a date, a time of today, or both [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// A note
    #[arg(long)]
    pub note: Option<String>,
    /// How it is printed.
    #[command(flatten)]
    pub output: Output,
}

/// An item that is added to the schedule.
#[derive(Clone, Debug, Default, Args)]
pub struct AddArgs {
    /// What it is called [default: asked in a short dialogue]
    pub item: Option<String>,
    /// It is done, not taken
    #[arg(long)]
    pub habit: bool,
    /// Its name on reminders [default: what it is called]
    #[arg(long)]
    pub name: Option<String>,
    /// How much at a time, as the label has it; several for several substances
    #[arg(long)]
    pub dose: Vec<String>,
    /// How much of a habit to aim at, as `150 min / week`
    #[arg(long, requires = "habit")]
    pub target: Option<String>,
    /// A time of the day; may be given several times
    #[arg(long, value_name = "TIME", conflicts_with = "as_needed")]
    pub at: Vec<String>,
    /// Weekdays, as `Mon..Fri` [default: every day]
    #[arg(long, requires = "at")]
    pub days: Option<String>,
    /// Interval, as `2 days`, counted from --from
    #[arg(long, requires = "at")]
    pub every: Option<String>,
    /// First day
    #[arg(long, value_name = "DATE")]
    pub from: Option<jiff::civil::Date>,
    /// Last day
    #[arg(long, value_name = "DATE")]
    pub until: Option<jiff::civil::Date>,
    /// What to take it with
    #[arg(long)]
    pub with: Option<String>,
    /// A note on the reminder
    #[arg(long)]
    pub note: Option<String>,
    /// How many are in the box
    #[arg(long, value_name = "NUMBER")]
    pub stock: Option<u32>,
    /// Taken or done when needed, without planned times
    #[arg(long)]
    pub as_needed: bool,
}

/// The commands for scans.
#[derive(Debug, Subcommand)]
pub enum ScanCommand {
    /// Record one site of a scan: asked one by one, or given with --answer
    #[command(
        after_help = "Example:\n  dosed scan add --at 2026-11-20 --answer region=total-hip --answer bmd=0.912 --answer side=left"
    )]
    Add {
        /// The scan [default: the only one]
        item: Option<String>,
        /// The rest of the form.
        #[command(flatten)]
        form: FormArgs,
    },
    /// List the scans, compared only where they were made alike
    List(Output),
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon that reminds and records
    #[command(
        after_help = "Examples:\n  dosed daemon\n  dosed daemon --schedule ./schedule.toml --data-dir ./record"
    )]
    Daemon,
    /// Show what is due, answered and upcoming today
    Today(Output),
    /// Show what comes next
    #[command(after_help = "Examples:\n  dosed next\n  dosed next 20")]
    Next {
        /// How many
        #[arg(default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Record that something was taken or done
    #[command(
        after_help = "Examples:\n  dosed take probiotic\n  dosed take probiotic@2026-11-23T08:00 --at 08:40\n  dosed take calcium --amount '250 mg' --note 'half a tablet'\n  dosed take vitamin-d --at 2026-11-20"
    )]
    Take {
        /// An item, or one occurrence of it as `dosed today` shows it
        #[arg(add = ArgValueCandidates::new(completion::targets))]
        item: String,
        /// When: a time of today, a date, or both [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// How much, if not the planned dose
        #[arg(long)]
        amount: Option<String>,
        /// A note
        #[arg(long)]
        note: Option<String>,
        /// Record one more, although the last one was not long ago
        #[arg(long)]
        again: bool,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Record that you deliberately left something out, or will
    #[command(
        after_help = "Examples:\n  dosed skip weight-bearing --reason 'a cold'\n  dosed skip weight-bearing --on friday\n  dosed skip weight-bearing --on 2026-12-24"
    )]
    Skip {
        /// An item, or one occurrence of it
        #[arg(add = ArgValueCandidates::new(completion::targets))]
        item: String,
        /// All that is planned of the item on a day: `tomorrow`, `friday`, a date
        #[arg(long, value_name = "DAY", conflicts_with = "at")]
        on: Option<String>,
        /// When: a time of today, a date, or both [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// A note
        #[arg(long)]
        note: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Be reminded again later
    #[command(after_help = "Examples:\n  dosed snooze calcium\n  dosed snooze calcium 1h")]
    Snooze {
        /// An item, or one occurrence of it
        #[arg(add = ArgValueCandidates::new(completion::targets))]
        item: String,
        /// How long [default: 15m]
        length: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Be reminded later than planned: of what is due of an item, else of what comes next
    #[command(
        after_help = "Examples:\n  dosed postpone weight-bearing 2h\n  dosed postpone calcium@2026-12-24T08:00 '90 min'"
    )]
    Postpone {
        /// An item, or one occurrence of it
        #[arg(add = ArgValueCandidates::new(completion::targets))]
        item: String,
        /// By how long
        length: String,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Record an unscheduled dose or activity: as needed, extra, or a number of minutes
    #[command(
        after_help = "Examples:\n  dosed log weight-bearing 35 min\n  dosed log painkiller 400 mg --at 14:20\n  dosed log probiotic"
    )]
    Log {
        /// An item
        #[arg(add = ArgValueCandidates::new(completion::items))]
        item: String,
        /// How much
        amount: Vec<String>,
        /// When: a time of today, a date, or both [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// A note
        #[arg(long)]
        note: Option<String>,
        /// Record one more, although the last one was not long ago
        #[arg(long)]
        again: bool,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Add an item to the schedule: as given, or in a short dialogue
    #[command(
        after_help = "Examples:\n  dosed add\n  dosed add probiotic --dose '5e9 CFU' --at 08:00 --with food --stock 60\n  dosed add 'Vitamin D' --dose '1000 IU' --at 08:00\n  dosed add walk --habit --target '3 times / week' --at 17:30 --days Mon..Fri"
    )]
    Add(AddArgs),
    /// Edit the schedule in your editor; it is checked before it is put in place
    #[command(after_help = "Examples:\n  dosed edit\n  dosed edit probiotic\n  EDITOR=nano dosed edit")]
    Edit {
        /// The item at which the editor opens
        #[arg(add = ArgValueCandidates::new(completion::items))]
        item: Option<String>,
    },
    /// Remove an item from the schedule (what you recorded of it stays)
    #[command(after_help = "Example:\n  dosed remove probiotic")]
    Remove {
        /// Its id or name
        #[arg(add = ArgValueCandidates::new(completion::items))]
        item: String,
    },
    /// Answer what is due, one by one
    Answer,
    /// Interactive view of the day
    Tui,
    /// Show what is left in stock, or record what was bought or counted
    #[command(
        after_help = "Examples:\n  dosed stock\n  dosed stock probiotic +60\n  dosed stock probiotic 55"
    )]
    Stock {
        /// An item
        #[arg(add = ArgValueCandidates::new(completion::items))]
        item: Option<String>,
        /// Doses: `+60` were bought, `-2` were lost, `55` were counted
        #[arg(allow_hyphen_values = true, requires = "item")]
        doses: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Undo an answer, a pause or a change of stock (the record keeps both)
    #[command(after_help = "Examples:\n  dosed undo\n  dosed undo desk-3f2a.17 --reason 'wrong item'")]
    Undo {
        /// The fact, as `dosed history` shows it [default: the last thing you did]
        fact: Option<String>,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Correct an answer: the amount, the time, a form's answers (the record keeps both)
    #[command(
        after_help = "Examples:\n  dosed correct --amount '250 mg'\n  dosed correct desk-3f2a.17 --at 07:30\n  dosed correct desk-3f2a.20 --answer energy=6"
    )]
    Correct {
        /// The fact, as `dosed history` shows it [default: your last answer]
        fact: Option<String>,
        /// When it was: `07:30`, `2026-11-23` or `2026-11-23T07:30`
        #[arg(long)]
        at: Option<String>,
        /// How much it was
        #[arg(long)]
        amount: Option<String>,
        /// A note
        #[arg(long)]
        note: Option<String>,
        /// Why it was skipped
        #[arg(long)]
        reason: Option<String>,
        /// An answer of a check-in or a scan that was different, as `energy=6`
        #[arg(long = "answer", value_name = "KEY=VALUE")]
        answers: Vec<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Show what was recorded
    #[command(after_help = "Examples:\n  dosed history\n  dosed history --item probiotic --since 2026-11-01")]
    History {
        /// Of one item only
        #[arg(long, add = ArgValueCandidates::new(completion::items))]
        item: Option<String>,
        /// Start (a date or a time)
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// End (a date or a time, exclusive)
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Answer a check-in: asked one by one, or given with --answer
    #[command(
        after_help = "Examples:\n  dosed check-in\n  dosed check-in quarterly --answer bloating=3 --answer energy=7\n  dosed check-in list"
    )]
    CheckIn {
        /// The check-in, or `list` for what was answered [default: the only one]
        item: Option<String>,
        /// The rest of the form.
        #[command(flatten)]
        form: FormArgs,
    },
    /// Record or list bone density scans
    #[command(subcommand)]
    Scan(ScanCommand),
    /// Show what the record shows of habits and check-ins together, and what it cannot show
    Insight {
        /// Every pair, and what was left out
        #[arg(long)]
        all: bool,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Show how much of what was planned was taken, by item or by group
    #[command(
        after_help = "Examples:\n  dosed adherence\n  dosed adherence --groups\n  dosed adherence --item probiotic --since 2026-01-01"
    )]
    Adherence {
        /// Of one item only
        #[arg(long, add = ArgValueCandidates::new(completion::items))]
        item: Option<String>,
        /// By group instead of by item: `group` in the schedule, else all of a kind
        #[arg(long, conflicts_with = "item")]
        groups: bool,
        /// Start date [default: 90 days ago]
        #[arg(long, value_name = "DATE")]
        since: Option<jiff::civil::Date>,
        /// End date (exclusive) [default: tomorrow]
        #[arg(long, value_name = "DATE")]
        until: Option<jiff::civil::Date>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Explain the state of an occurrence: rule, zone, reminders and answers
    #[command(after_help = "Example:\n  dosed why probiotic@2026-11-23T08:00")]
    Why {
        /// The occurrence, as `dosed today` shows it
        #[arg(add = ArgValueCandidates::new(completion::targets))]
        occurrence: String,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Pause reminders; occurrences within the pause are excused
    #[command(
        after_help = "Examples:\n  dosed pause --from 2026-12-20 --until 2026-12-27 --reason travelling\n  dosed pause calcium"
    )]
    Pause {
        /// One item [default: all]
        #[arg(add = ArgValueCandidates::new(completion::items))]
        item: Option<String>,
        /// From this day or time on [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Until this day or time [default: until `dosed resume`]
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Resume reminders after a pause
    Resume {
        /// One item [default: all]
        #[arg(add = ArgValueCandidates::new(completion::items))]
        item: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Show the occurrences that a schedule makes, without a daemon
    #[command(
        after_help = "Examples:\n  dosed simulate --from 2026-03-28 --until 2026-03-31\n  dosed simulate --from 2026-12-01 --until 2027-12-01 --zone America/New_York --json"
    )]
    Simulate {
        /// The first day
        #[arg(long, value_name = "DATE")]
        from: jiff::civil::Date,
        /// The day after the last
        #[arg(long, value_name = "DATE")]
        until: jiff::civil::Date,
        /// The zone of the clock [default: the machine's]
        #[arg(long, value_name = "ZONE")]
        zone: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Validate a schedule
    #[command(after_help = "Examples:\n  dosed check\n  dosed check ./schedule.toml")]
    Check {
        /// The schedule [default: the one in use]
        file: Option<PathBuf>,
        /// Print the JSON Schema of schedules, for editors
        #[arg(long)]
        json_schema: bool,
    },
    /// Follow events, one JSON object a line
    #[command(after_help = "Examples:\n  dosed watch\n  dosed watch --format waybar")]
    Watch {
        /// Print one line for a status bar, and a new one when it changes: `waybar`, or as in `dosed status`
        #[arg(long)]
        format: Option<String>,
    },
    /// Show the daemon's status
    #[command(
        after_help = "Examples:\n  dosed status\n  dosed status --format waybar\n  dosed status --format '{due} due, next {next.name} {next.in}'"
    )]
    Status {
        /// Print one line for a status bar: `waybar` (JSON), or a text such as `{next.name} {next.in}`
        #[arg(long, conflicts_with = "json")]
        format: Option<String>,
        /// How it is printed.
        #[command(flatten)]
        output: Output,
    },
    /// Diagnose what could keep reminders from arriving
    Doctor(Output),
    /// Send one harmless reminder through every channel
    Test(Output),
    /// Make one page to take to an appointment: HTML, for two sheets of A4
    #[command(after_help = "Example:\n  dosed report --since 2026-01-01 > record.html")]
    Report {
        /// Start date [default: one year ago]
        #[arg(long, value_name = "DATE")]
        since: Option<jiff::civil::Date>,
        /// End date (exclusive) [default: tomorrow]
        #[arg(long, value_name = "DATE")]
        until: Option<jiff::civil::Date>,
    },
    /// Run a daemon on two made-up years of data, without reminders, to try every view
    Demo,
    /// Install and start the service and the desktop entry for your user
    #[command(after_help = "Examples:\n  dosed setup\n  dosed setup --undo")]
    Setup {
        /// Stop the service and remove these files; the schedule and the record stay
        #[arg(long)]
        undo: bool,
    },
    /// Print completions for a shell
    #[command(
        after_help = "Example:\n  dosed completions bash > ~/.local/share/bash-completion/completions/dosed"
    )]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example:\n  dosed man > ~/.local/share/man/man1/dosed.1")]
    Man,
}
