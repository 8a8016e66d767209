//! The manual page and the completions, made from the commands themselves.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::Cli;

/// Returns what lets a shell ask this program for completions.
pub(super) fn completions(shell: Shell) -> std::io::Result<String> {
    let mut text = Vec::new();
    let shells = clap_complete::env::Shells::builtins();
    let completer = shells.completer(&shell.to_string());
    let completer = completer.ok_or_else(|| std::io::Error::other(format!("no completions for {shell}")))?;
    completer.write_registration("COMPLETE", "dosed", "dosed", "dosed", &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Returns the manual page: one for the program and all of its commands.
pub(super) fn man() -> std::io::Result<String> {
    let mut text = Vec::new();
    let command = Cli::command();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    writeln!(text, ".SH SYNOPSIS\n\\fBdosed\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR")?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    writeln!(text, ".SH COMMANDS")?;
    let mut built = command;
    built.build();
    for sub in built.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let mut words = vec![format!("dosed {}", sub.get_name())];
        words.extend(sub.get_positionals().map(ToString::to_string));
        writeln!(text, ".SS \"{}\"", roff(&words.join(" ")))?;
        writeln!(text, "{}", roff(&sub.get_about().map(ToString::to_string).unwrap_or_default()))?;
        let is_own = |argument: &&clap::Arg| {
            !argument.is_positional() && !argument.is_global_set() && argument.get_id() != "help"
        };
        for option in sub.get_arguments().filter(is_own) {
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            writeln!(text, ".TP\n\\fB{}\\fR\n{}", roff(&option.to_string()), roff(&help))?;
        }
        if let Some(examples) = sub.get_after_help() {
            writeln!(text, ".PP\n.nf\n{}\n.fi", roff(&examples.to_string()))?;
        }
    }
    writeln!(
        text,
        ".SH EXIT STATUS\n0 done; 1 refused, with the reason; 2 wrong usage; 69 the daemon cannot be reached; 75 another daemon runs; 78 the schedule is invalid."
    )?;
    writeln!(text, ".SH NOTES\nFor information only, not medical advice.")?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Makes text safe for the manual page's format.
fn roff(text: &str) -> String {
    let safe = text.replace('\\', "\\\\").replace('-', "\\-");
    let lines: Vec<String> = safe
        .lines()
        .map(|line| if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line.to_owned() })
        .collect();
    lines.join("\n")
}
