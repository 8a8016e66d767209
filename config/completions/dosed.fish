# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_dosed_global_optspecs
    string join \n schedule= data-dir= socket= h/help V/version
end

function __fish_dosed_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_dosed_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_dosed_using_subcommand
    set -l cmd (__fish_dosed_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c dosed -n "__fish_dosed_needs_command" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_needs_command" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_needs_command" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_needs_command" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_needs_command" -s V -l version -d 'Print version'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "daemon" -d 'Run the daemon that reminds and records'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "today" -d 'Show what is due, answered and upcoming today'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "next" -d 'Show what comes next'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "take" -d 'Record that something was taken or done'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "skip" -d 'Record that you deliberately left something out, or will'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "snooze" -d 'Be reminded again later'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "postpone" -d 'Be reminded later than planned: of what is due of an item, else of what comes next'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "log" -d 'Record an unscheduled dose or activity: as needed, extra, or a number of minutes'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "add" -d 'Add an item to the schedule: as given, or in a short dialogue'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "edit" -d 'Edit the schedule in your editor; it is checked before it is put in place'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "remove" -d 'Remove an item from the schedule (what you recorded of it stays)'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "answer" -d 'Answer what is due, one by one'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "tui" -d 'Interactive view of the day'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "stock" -d 'Show what is left in stock, or record what was bought or counted'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "undo" -d 'Undo an answer, a pause or a change of stock (the record keeps both)'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "correct" -d 'Correct an answer: the amount, the time, a form\'s answers (the record keeps both)'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "history" -d 'Show what was recorded'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "check-in" -d 'Answer a check-in: asked one by one, or given with --answer'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "scan" -d 'Record or list bone density scans'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "insight" -d 'Show what the record shows of habits and check-ins together, and what it cannot show'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "adherence" -d 'Show how much of what was planned was taken, by item or by group'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "why" -d 'Explain the state of an occurrence: rule, zone, reminders and answers'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "pause" -d 'Pause reminders; occurrences within the pause are excused'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "resume" -d 'Resume reminders after a pause'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "simulate" -d 'Show the occurrences that a schedule makes, without a daemon'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "check" -d 'Validate a schedule'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "watch" -d 'Follow events, one JSON object a line'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "status" -d 'Show the daemon\'s status'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "doctor" -d 'Diagnose what could keep reminders from arriving'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "test" -d 'Send one harmless reminder through every channel'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "report" -d 'Make one page to take to an appointment: HTML, for two sheets of A4'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "demo" -d 'Run a daemon on two made-up years of data, without reminders, to try every view'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "setup" -d 'Install and start the service and the desktop entry for your user'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "man" -d 'Print the manual page'
complete -c dosed -n "__fish_dosed_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dosed -n "__fish_dosed_using_subcommand daemon" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand daemon" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand daemon" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand daemon" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand today" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand today" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand today" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand today" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand today" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand next" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand next" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand next" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand next" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand next" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand take" -l at -d 'When: a time of today, a date, or both [default: now]' -r
complete -c dosed -n "__fish_dosed_using_subcommand take" -l amount -d 'How much, if not the planned dose' -r
complete -c dosed -n "__fish_dosed_using_subcommand take" -l note -d 'A note' -r
complete -c dosed -n "__fish_dosed_using_subcommand take" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand take" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand take" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand take" -l again -d 'Record one more, although the last one was not long ago'
complete -c dosed -n "__fish_dosed_using_subcommand take" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand take" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l on -d 'All that is planned of the item on a day: `tomorrow`, `friday`, a date' -r
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l at -d 'When: a time of today, a date, or both [default: now]' -r
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l reason -d 'Why' -r
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l note -d 'A note' -r
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand skip" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand skip" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand snooze" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand snooze" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand snooze" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand snooze" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand snooze" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand postpone" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand postpone" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand postpone" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand postpone" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand postpone" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand log" -l at -d 'When: a time of today, a date, or both [default: now]' -r
complete -c dosed -n "__fish_dosed_using_subcommand log" -l note -d 'A note' -r
complete -c dosed -n "__fish_dosed_using_subcommand log" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand log" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand log" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand log" -l again -d 'Record one more, although the last one was not long ago'
complete -c dosed -n "__fish_dosed_using_subcommand log" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand log" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand add" -l name -d 'Its name on reminders [default: what it is called]' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l dose -d 'How much at a time, as the label has it; several for several substances' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l target -d 'How much of a habit to aim at, as `150 min / week`' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l at -d 'A time of the day; may be given several times' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l days -d 'Weekdays, as `Mon..Fri` [default: every day]' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l every -d 'Interval, as `2 days`, counted from --from' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l from -d 'First day' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l until -d 'Last day' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l with -d 'What to take it with' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l note -d 'A note on the reminder' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l stock -d 'How many are in the box' -r
complete -c dosed -n "__fish_dosed_using_subcommand add" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand add" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand add" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand add" -l habit -d 'It is done, not taken'
complete -c dosed -n "__fish_dosed_using_subcommand add" -l as-needed -d 'Taken or done when needed, without planned times'
complete -c dosed -n "__fish_dosed_using_subcommand add" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand edit" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand edit" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand edit" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand edit" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand remove" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand remove" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand remove" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand remove" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand answer" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand answer" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand answer" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand answer" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand tui" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand tui" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand tui" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand tui" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand stock" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand stock" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand stock" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand stock" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand stock" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand undo" -l reason -d 'Why' -r
complete -c dosed -n "__fish_dosed_using_subcommand undo" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand undo" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand undo" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand undo" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand undo" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l at -d 'When it was: `07:30`, `2026-11-23` or `2026-11-23T07:30`' -r
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l amount -d 'How much it was' -r
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l note -d 'A note' -r
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l reason -d 'Why it was skipped' -r
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l answer -d 'An answer of a check-in or a scan that was different, as `energy=6`' -r
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand correct" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand correct" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand history" -l item -d 'Of one item only' -r
complete -c dosed -n "__fish_dosed_using_subcommand history" -l since -d 'Start (a date or a time)' -r
complete -c dosed -n "__fish_dosed_using_subcommand history" -l until -d 'End (a date or a time, exclusive)' -r
complete -c dosed -n "__fish_dosed_using_subcommand history" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand history" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand history" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand history" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand history" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -l answer -d 'An answer, as `name=value`; may be given several times' -r
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -l at -d 'When: a date, a time of today, or both [default: now]' -r
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -l note -d 'A note' -r
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand check-in" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and not __fish_seen_subcommand_from add list help" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and not __fish_seen_subcommand_from add list help" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and not __fish_seen_subcommand_from add list help" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and not __fish_seen_subcommand_from add list help" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and not __fish_seen_subcommand_from add list help" -f -a "add" -d 'Record one site of a scan: asked one by one, or given with --answer'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and not __fish_seen_subcommand_from add list help" -f -a "list" -d 'List the scans, compared only where they were made alike'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and not __fish_seen_subcommand_from add list help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -l answer -d 'An answer, as `name=value`; may be given several times' -r
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -l at -d 'When: a date, a time of today, or both [default: now]' -r
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -l note -d 'A note' -r
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from list" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from list" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from list" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from list" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from help" -f -a "add" -d 'Record one site of a scan: asked one by one, or given with --answer'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the scans, compared only where they were made alike'
complete -c dosed -n "__fish_dosed_using_subcommand scan; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dosed -n "__fish_dosed_using_subcommand insight" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand insight" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand insight" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand insight" -l all -d 'Every pair, and what was left out'
complete -c dosed -n "__fish_dosed_using_subcommand insight" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand insight" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l item -d 'Of one item only' -r
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l since -d 'Start date [default: 90 days ago]' -r
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l until -d 'End date (exclusive) [default: tomorrow]' -r
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l groups -d 'By group instead of by item: `group` in the schedule, else all of a kind'
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand adherence" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand why" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand why" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand why" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand why" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand why" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand pause" -l from -d 'From this day or time on [default: now]' -r
complete -c dosed -n "__fish_dosed_using_subcommand pause" -l until -d 'Until this day or time [default: until `dosed resume`]' -r
complete -c dosed -n "__fish_dosed_using_subcommand pause" -l reason -d 'Why' -r
complete -c dosed -n "__fish_dosed_using_subcommand pause" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand pause" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand pause" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand pause" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand pause" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand resume" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand resume" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand resume" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand resume" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand resume" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -l from -d 'The first day' -r
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -l until -d 'The day after the last' -r
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -l zone -d 'The zone of the clock [default: the machine\'s]' -r
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand simulate" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand check" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand check" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand check" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand check" -l json-schema -d 'Print the JSON Schema of schedules, for editors'
complete -c dosed -n "__fish_dosed_using_subcommand check" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand watch" -l format -d 'Print one line for a status bar, and a new one when it changes: `waybar`, or as in `dosed status`' -r
complete -c dosed -n "__fish_dosed_using_subcommand watch" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand watch" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand watch" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand watch" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand status" -l format -d 'Print one line for a status bar: `waybar` (JSON), or a text such as `{next.name} {next.in}`' -r
complete -c dosed -n "__fish_dosed_using_subcommand status" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand status" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand status" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand status" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand status" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand doctor" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand doctor" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand doctor" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand doctor" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand test" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand test" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand test" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand test" -l json -d 'Print JSON, for other programs'
complete -c dosed -n "__fish_dosed_using_subcommand test" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand report" -l since -d 'Start date [default: one year ago]' -r
complete -c dosed -n "__fish_dosed_using_subcommand report" -l until -d 'End date (exclusive) [default: tomorrow]' -r
complete -c dosed -n "__fish_dosed_using_subcommand report" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand report" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand report" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand report" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand demo" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand demo" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand demo" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand demo" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand setup" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand setup" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand setup" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand setup" -l undo -d 'Stop the service and remove these files; the schedule and the record stay'
complete -c dosed -n "__fish_dosed_using_subcommand setup" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand completions" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand completions" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand completions" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand completions" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand man" -l schedule -d 'The schedule file [default: ~/.config/dosed/schedule.toml]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand man" -l data-dir -d 'The directory of the record [default: ~/.local/share/dosed]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand man" -l socket -d 'The socket [default: $XDG_RUNTIME_DIR/dosed/dosed.sock]' -r -F
complete -c dosed -n "__fish_dosed_using_subcommand man" -s h -l help -d 'Print help'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "daemon" -d 'Run the daemon that reminds and records'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "today" -d 'Show what is due, answered and upcoming today'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "next" -d 'Show what comes next'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "take" -d 'Record that something was taken or done'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "skip" -d 'Record that you deliberately left something out, or will'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "snooze" -d 'Be reminded again later'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "postpone" -d 'Be reminded later than planned: of what is due of an item, else of what comes next'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "log" -d 'Record an unscheduled dose or activity: as needed, extra, or a number of minutes'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "add" -d 'Add an item to the schedule: as given, or in a short dialogue'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "edit" -d 'Edit the schedule in your editor; it is checked before it is put in place'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "remove" -d 'Remove an item from the schedule (what you recorded of it stays)'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "answer" -d 'Answer what is due, one by one'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "tui" -d 'Interactive view of the day'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "stock" -d 'Show what is left in stock, or record what was bought or counted'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "undo" -d 'Undo an answer, a pause or a change of stock (the record keeps both)'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "correct" -d 'Correct an answer: the amount, the time, a form\'s answers (the record keeps both)'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "history" -d 'Show what was recorded'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "check-in" -d 'Answer a check-in: asked one by one, or given with --answer'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "scan" -d 'Record or list bone density scans'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "insight" -d 'Show what the record shows of habits and check-ins together, and what it cannot show'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "adherence" -d 'Show how much of what was planned was taken, by item or by group'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "why" -d 'Explain the state of an occurrence: rule, zone, reminders and answers'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "pause" -d 'Pause reminders; occurrences within the pause are excused'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "resume" -d 'Resume reminders after a pause'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "simulate" -d 'Show the occurrences that a schedule makes, without a daemon'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "check" -d 'Validate a schedule'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "watch" -d 'Follow events, one JSON object a line'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "status" -d 'Show the daemon\'s status'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "doctor" -d 'Diagnose what could keep reminders from arriving'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "test" -d 'Send one harmless reminder through every channel'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "report" -d 'Make one page to take to an appointment: HTML, for two sheets of A4'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "demo" -d 'Run a daemon on two made-up years of data, without reminders, to try every view'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "setup" -d 'Install and start the service and the desktop entry for your user'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "completions" -d 'Print completions for a shell'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "man" -d 'Print the manual page'
complete -c dosed -n "__fish_dosed_using_subcommand help; and not __fish_seen_subcommand_from daemon today next take skip snooze postpone log add edit remove answer tui stock undo correct history check-in scan insight adherence why pause resume simulate check watch status doctor test report demo setup completions man help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dosed -n "__fish_dosed_using_subcommand help; and __fish_seen_subcommand_from scan" -f -a "add" -d 'Record one site of a scan: asked one by one, or given with --answer'
complete -c dosed -n "__fish_dosed_using_subcommand help; and __fish_seen_subcommand_from scan" -f -a "list" -d 'List the scans, compared only where they were made alike'
