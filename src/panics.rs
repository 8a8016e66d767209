//! What a panic does: it ends the process.
//!
//! A reminder daemon that lives on as a ghost is worse than one that is restarted; where nobody would restart
//! it, it begins anew by itself. And sled panics on some damaged files, which is only a reason to rebuild
//! them: such a panic leaves a mark for whoever opens them next, and a program that has only just started begins
//! anew at once.

use std::cell::RefCell;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::process::abort;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::anew::{self, AGAIN};

/// What the kernel gives a thread that wants nothing else, in nanoseconds.
const USUAL_TIMER_SLACK: Option<NonZeroU64> = NonZeroU64::new(50_000);

thread_local! {
    static MARK: RefCell<Option<PathBuf>> = const { RefCell::new(None) };
}

/// A program that panics again so soon does not begin anew: it would do so for ever.
const SOON: Duration = Duration::from_mins(10);

/// Set when the program has started.
static SETTLED: AtomicBool = AtomicBool::new(false);

/// Set when it has started and nobody watches over it.
static ALONE: AtomicBool = AtomicBool::new(false);

/// Makes every panic end the process.
pub fn abort_on_panic() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        let is_marked = MARK.take().is_some_and(|mark| {
            let said = panic.payload_as_str().unwrap_or("it panicked");
            let is_written = std::fs::write(&mark, said).is_ok();
            if !is_written {
                // On a full disk it would be there, and empty, and nothing could be built anew.
                let _ = std::fs::remove_file(&mark);
            }
            is_written
        });
        let is_of_the_start = is_marked && !SETTLED.load(Ordering::Relaxed);
        if is_of_the_start || ALONE.load(Ordering::Relaxed) {
            begin_anew();
        }
        abort();
    }));
}

/// Begins the program anew, unless it has done so for a panic only just before.
fn begin_anew() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let last = std::env::var(AGAIN).ok().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    if last.is_some_and(|last| now < last + SOON) {
        return;
    }
    // It outlives the program that this thread had it for, and would make every timer of the next one late.
    let _ = rustix::thread::set_current_timer_slack(USUAL_TIMER_SLACK);
    let error = anew::begin([(AGAIN, now.as_secs().to_string())]);
    tracing::error!(%error, "the program cannot begin anew");
}

/// Runs something; a panic of this thread meanwhile leaves what it said in a file.
pub(crate) fn marked<T>(mark: &Path, run: impl FnOnce() -> T) -> T {
    let before = MARK.replace(Some(mark.to_owned()));
    let outcome = run();
    MARK.set(before);
    outcome
}

/// Says that the program has started: whoever watches over it begins it again after a panic, else it does so itself.
pub(crate) fn settle(is_watched: bool) {
    SETTLED.store(true, Ordering::Relaxed);
    ALONE.store(!is_watched, Ordering::Relaxed);
}
