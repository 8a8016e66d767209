//! Places at which a test can let the power go. Release builds have none.
//!
//! `DOSED_CRASH_AT` names the place, `DOSED_CRASH_IF` a file: the process dies there once the file is
//! there, as kill -9 would have it. With `DOSED_CRASH_BY=panic` it panics.

/// Dies here if a test wants it.
#[cfg(debug_assertions)]
pub(crate) fn reach(place: &str) {
    let wanted = std::env::var("DOSED_CRASH_AT").is_ok_and(|wanted| wanted == place);
    if wanted && std::env::var_os("DOSED_CRASH_IF").is_some_and(|file| std::path::Path::new(&file).exists()) {
        assert!(std::env::var_os("DOSED_CRASH_BY").is_none(), "a test wants a panic");
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// Does nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn reach(_: &str) {}
