//! What a panic does: it ends the process.
//!
//! A reminder daemon that lives on as a ghost is worse than one that is restarted. But sled panics
//! on some damaged files, which is only a reason to rebuild them: such a panic leaves a mark for whoever
//! opens them next, and where the program has only just started, it begins anew at once.

use std::cell::RefCell;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::abort;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::anew::{self, AGAIN};

/// What the kernel gives a thread that wants nothing else, in nanoseconds.
const USUAL_TIMER_SLACK: Option<NonZeroU64> = NonZeroU64::new(50_000);

thread_local! {
    static MARK: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

/// Set when others hold on to this process: a socket that it was handed would be lost.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Makes every panic end the process.
pub fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        if let Some(mark) = MARK.take() {
            let said = panic.payload_as_str().unwrap_or("it panicked");
            let marked = std::fs::write(&mark, said).is_ok();
            if !marked {
                // On a full disk it would be there, and empty, and nothing could be built anew.
                let _ = std::fs::remove_file(&mark);
            }
            if marked && !SETTLED.load(Ordering::Relaxed) && std::env::var_os(AGAIN).is_none() {
                // It outlives the program that this thread had it for, and would make every timer of the next one late.
                let _ = rustix::thread::set_current_timer_slack(USUAL_TIMER_SLACK);
                let error = anew::begin([(AGAIN, "1".to_owned())]);
                tracing::error!(%error, "the program cannot begin anew");
            }
        }
        abort();
    }));
}

/// Runs something; a panic of this thread meanwhile leaves what it said in a file.
pub(crate) fn marked<T>(mark: &Path, run: impl FnOnce() -> T) -> T {
    let before = MARK.replace(Some(mark.to_owned()));
    let outcome = run();
    MARK.set(before);
    outcome
}

/// From here on a panic does not begin the program anew: that is left to whoever watches over it.
pub(crate) fn settle() {
    SETTLED.store(true, Ordering::Relaxed);
}
