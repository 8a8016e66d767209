//! The `dosed` command: it parses, runs, and returns the exit code.

use std::process::ExitCode;

use clap::Parser;
use dosed::cli::Cli;

fn main() -> ExitCode {
    dosed::panics::abort_on_panic();
    dosed::run::run(Cli::parse())
}
