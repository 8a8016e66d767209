//! Core dumps: what a process has in memory, names among it, is not to be written to the system's disk.

/// What of this process's memory a dump has, as bits of kinds of memory.
const FILTER: &str = "/proc/self/coredump_filter";

/// Keeps this process's memory out of core dumps, whoever collects them: what is left tells only where it ended.
///
/// # Errors
///
/// The system refuses.
pub fn keep_memory_out() -> std::io::Result<()> {
    std::fs::write(FILTER, "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_memory_is_dumped() {
        keep_memory_out().unwrap();
        assert_eq!(std::fs::read_to_string(FILTER).unwrap().trim(), "00000000");
    }
}
