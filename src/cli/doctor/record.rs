//! Examines the record: the journal, the database, what lies beside them, and who can read it.

use std::path::Path;

use jiff::Timestamp;

use super::{CATCH_UP_PAUSE, CATCH_UP_TRIES, Finding};
use crate::client::Client;
use crate::present;
use crate::process::files::read_regular;
use crate::protocol::Status;

/// The largest journal whose lines are counted, in bytes.
const MAX_JOURNAL_BYTES: u64 = 1024 * 1024 * 1024;

/// With less room than this, in bytes, answers may soon be refused.
const LITTLE_ROOM: u64 = 64 * 1024 * 1024;

/// Names what lies beside the journal and is not read, and a record that was copied from another machine.
pub(super) fn check_beside(status: &Status) -> Vec<Finding> {
    let journal = &status.journal;
    let copy = journal.copied_from.as_ref().map(|before| {
        let found = format!("this record was copied from {before}: here it is that of {}", journal.device);
        Finding::good("device", found)
    });
    let help = "let the synchronisation finish; move away what is not the journal of a device";
    let skipped = journal.skipped.iter();
    let skipped =
        skipped.map(|file| Finding::bad("journals", format!("{}: {}", file.path, file.reason), help));
    copy.into_iter().chain(skipped).collect()
}

/// Names what cannot be read of items as they were recorded: that shapes what is said of the past.
pub(super) fn check_unread(status: &Status, now: Timestamp) -> Vec<Finding> {
    let journal = &status.journal;
    let unread = journal.unread.iter().map(|one| Finding::unknown("history", present::unread(one, now)));
    let more = (journal.unread_more > 0)
        .then(|| Finding::unknown("history", format!("and {} more", journal.unread_more)));
    unread.chain(more).collect()
}

/// Compares the journal with what the database has.
pub(super) async fn check_record(status: Status, client: &Client, data_dir: &Path) -> Finding {
    if let Some(error) = &status.database.error {
        let help = format!("restart dosed: it rebuilds {} from the journal", data_dir.join("db").display());
        return Finding::bad("record", error, help);
    }
    let path = &status.journal.path;
    let mut known = status.journal.facts;
    let written = match read_regular(Path::new(path), MAX_JOURNAL_BYTES) {
        Ok(bytes) => bytes.split_inclusive(|b| *b == b'\n').count() as u64,
        Err(_) if known == 0 => return Finding::good("record", "nothing is recorded yet"),
        Err(error) => {
            return Finding::bad(
                "record",
                format!("{path} cannot be read: {error}"),
                "restore it from a backup",
            );
        }
    };
    // The database follows the journal a little later.
    for _ in 0..CATCH_UP_TRIES {
        if known >= written {
            return Finding::good("record", format!("{written} facts in journal and database"));
        }
        tokio::time::sleep(CATCH_UP_PAUSE).await;
        if let Ok(status) = client.status().await {
            known = status.value.journal.facts;
        }
    }
    let found = format!("the database has {known} of the {written} facts of the journal");
    Finding::bad("record", found, "restart dosed: it brings the database up to the journal")
}

pub(super) fn check_room(data_dir: &Path) -> Finding {
    let dir = data_dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    match rustix::fs::statvfs(dir) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let found = format!("{} MiB are free", free / (1024 * 1024));
            if free < LITTLE_ROOM {
                return Finding::bad("disk", found, format!("make room on the disk of {}", dir.display()));
            }
            Finding::good("disk", found)
        }
        Err(error) => Finding::unknown("disk", error.to_string()),
    }
}
