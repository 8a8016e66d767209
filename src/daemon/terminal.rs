//! The terminal that *Open* starts. What is known of the desktop is asked when it is pressed: a service is started before
//! there is one.

#![expect(clippy::disallowed_methods, reason = "the environment is read where a terminal is started")]

use std::ffi::OsString;
use std::path::Path;

use tracing::warn;

use super::service_manager::is_service;
use crate::adapters::service_manager;
use crate::adapters::terminal::Terminal;
use crate::process::programs;

/// Tells whether a terminal is likely to be there once *Open* is pressed.
pub(super) fn is_likely() -> bool {
    Terminal::is_likely(own_variable, is_service())
}

/// Opens a terminal in which the person answers one by one.
pub(super) fn open(socket: &Path) {
    let dosed = match programs::current() {
        Ok(dosed) => dosed,
        Err(error) => return warn!(%error, "no terminal was opened"),
    };
    // No names: what a process was called with can be read by others.
    let command: [OsString; 4] = [dosed.into(), "--socket".into(), socket.into(), "answer".into()];
    tokio::spawn(async move {
        let terminal = match is_service().then(service_manager::environment) {
            Some(asked) => match asked.await {
                Ok(variables) => Terminal::find(|name| variables.get(name).map(Into::into), true),
                Err(_) => Terminal::find(own_variable, true),
            },
            None => Terminal::find(own_variable, false),
        };
        match terminal {
            Some(terminal) => terminal.open(command),
            None => warn!("no terminal was opened: none is installed, or there is no display"),
        }
    });
}

fn own_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
