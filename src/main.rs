//! The `dosed` command: it parses, runs, and returns the exit code.

use std::process::ExitCode;

use clap::Parser;
use dosed::cli::args::Cli;

fn main() -> ExitCode {
    dosed::process::panics::abort_on_panic();
    dosed::cli::complete();
    dosed::cli::run(Cli::parse())
}
