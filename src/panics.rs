//! What a panic does: it ends the process, except where a guard expects one.
//!
//! A reminder daemon that lives on as a ghost is worse than one that is restarted. But sled panics
//! on some damaged files, which is only a reason to rebuild them. The released program cannot catch a
//! panic (which keeps it smaller by a tenth), so the hook installed here begins it anew, in the same
//! process: what the guard is about to run then counts as having failed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::process::abort;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::anew;

/// Tells the program that begins anew what the panic said.
const SAID: &str = "DOSED_PANIC";

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Set when others hold on to this process: a socket that it was handed would be lost.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Set when the panic of before was told of.
static HEEDED: AtomicBool = AtomicBool::new(false);

/// Makes every panic end the process; one inside of `guard` begins the program anew, once.
pub fn abort_on_panic() {
    let report = take_hook();
    set_hook(Box::new(move |panic| {
        report(panic);
        if GUARDED.get() && !SETTLED.load(Ordering::Relaxed) && std::env::var_os(SAID).is_none() {
            // An environment cannot hold zeros.
            let said = panic.payload_as_str().unwrap_or("it panicked").replace('\0', " ");
            let error = anew::begin([(SAID, said)]);
            tracing::error!(%error, "the program cannot begin anew");
        }
        abort();
    }));
}

/// From here on a panic ends the process wherever it is.
pub(crate) fn settle() {
    SETTLED.store(true, Ordering::Relaxed);
}

/// Runs something that is known to panic on bad input.
///
/// # Errors
///
/// It panicked, now or before the program began anew; this is what it said.
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    if let Some(said) = std::env::var_os(SAID).filter(|_| !HEEDED.swap(true, Ordering::Relaxed)) {
        return Err(said.to_string_lossy().into_owned());
    }
    GUARDED.set(true);
    // Without the hook, as in a test, a panic comes as far as here.
    let outcome = catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(false);
    outcome.map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
    })
}
