//! What a panic does: it ends the process, unless it is caught where it is expected.
//!
//! A reminder daemon that lives on as a ghost is worse than one that the service manager restarts. Only sled,
//! which panics on some damaged files, is run so that a panic becomes an error.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;

thread_local! {
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Makes every panic end the process, but for those that the database catches.
pub fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if !IS_CAUGHT.get() {
            std::process::abort();
        }
    }));
}

/// Runs something; a panic of this thread meanwhile becomes an error with the panic's message.
///
/// What the closure has changed when it panics must not be used any more.
///
/// # Errors
///
/// It panicked.
pub(crate) fn catch<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let before = IS_CAUGHT.replace(true);
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(run));
    IS_CAUGHT.set(before);
    outcome.map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("it panicked: {}", text.unwrap_or("no reason is known"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| panic!("on {}", "purpose")), Err::<(), _>("it panicked: on purpose".to_owned()));
        assert_eq!(catch(|| panic!("plainly")), Err::<(), _>("it panicked: plainly".to_owned()));
        assert!(!IS_CAUGHT.get());
    }
}
