//! Tells whether the daemon that runs is still the program that is installed.

use crate::process::programs;
use crate::protocol::Status;

/// Returns in what the daemon that runs differs from this program; none where it does not.
pub(super) fn difference(status: &Status) -> Option<String> {
    let is_replaced = programs::of_process(status.pid).is_some_and(|(_, is_gone)| is_gone);
    describe(&status.version, is_replaced)
}

fn describe(version: &str, is_replaced: bool) -> Option<String> {
    let own = env!("CARGO_PKG_VERSION");
    if version != own {
        return Some(format!("it is dosed {version}, and this is dosed {own}"));
    }
    is_replaced.then(|| "its program was replaced since it was started".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_and_another_file_are_noticed() {
        let own = env!("CARGO_PKG_VERSION");
        for (version, is_replaced, expected) in [
            (own, false, None),
            (own, true, Some("its program was replaced since it was started".to_owned())),
            ("0.0.9", false, Some(format!("it is dosed 0.0.9, and this is dosed {own}"))),
            ("0.0.9", true, Some(format!("it is dosed 0.0.9, and this is dosed {own}"))),
        ] {
            assert_eq!(describe(version, is_replaced), expected, "{version} {is_replaced}");
        }
    }
}
