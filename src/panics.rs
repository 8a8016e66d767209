//! What a panic does: it ends the process, except where a guard expects one.
//!
//! A reminder daemon that lives on as a ghost is worse than one that is restarted. But sled panics
//! on some damaged files, which is only a reason to rebuild them; so panics unwind, and the hook
//! installed here aborts unless the panicking thread is inside `guard`.

use std::cell::Cell;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Makes every panic outside of `guard` end the process.
pub fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !GUARDED.get() {
            report(panic);
            std::process::abort();
        }
    }));
}

/// Runs something that is known to panic on bad input.
///
/// # Errors
///
/// It panicked; this is what it said.
pub(crate) fn guard<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    GUARDED.set(true);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    GUARDED.set(false);
    outcome.map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
    })
}
