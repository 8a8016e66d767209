//! What others do to a record: the database changes, the journals of other devices arrive, the own one is replaced.

use super::*;

impl Life {
    /// The database is on a disk of its own.
    pub(super) fn change_database(&mut self) {
        let path = self.database();
        self.trace(|| format!("database left {:?}", std::fs::read_to_string(path.join("left"))));
        if self.one_in(3) && path.is_dir() {
            let copied = self.dir.path().join(format!("copy-{}", self.copies));
            let _ = std::fs::remove_dir_all(&copied);
            copy(&path, &copied);
            self.copies += 1;
        }
        let kind = self.lot.below(10);
        self.is_other_database |= kind < 4;
        match kind {
            0 => drop(std::fs::remove_dir_all(&path)),
            1 | 2 if self.copies > 0 => {
                let _ = std::fs::remove_dir_all(&path);
                copy(&self.dir.path().join(format!("copy-{}", self.lot.below(self.copies))), &path);
            }
            3 => {
                let Ok(mut bytes) = std::fs::read(path.join("db")) else { return };
                let at = self.lot.below(bytes.len());
                let until = bytes.len().min(at + 1 + self.lot.below(8_192));
                match self.lot.below(3) {
                    0 => bytes.truncate(at),
                    1 => bytes[at] ^= 0x10,
                    _ => bytes[at..until].fill(0),
                }
                std::fs::write(path.join("db"), bytes).unwrap();
            }
            _ => return,
        }
        self.trace(|| format!("database changed ({kind})"));
    }

    /// More of another device's journal arrives, or less of it is there.
    pub(super) fn send_peer(&mut self, run: &mut Run) {
        let which = self.lot.below(self.peers.len());
        let (path, text) = (self.peers[which].path.clone(), self.peers[which].text.clone());
        let there = self.disk.read(&path).unwrap_or_default();
        match self.lot.below(5) {
            0 => self.disk.overwrite(&path, &text.as_bytes()[..self.lot.below(text.len() + 1)]),
            1 if !there.is_empty() => self.disk.remove(&path),
            2 => self.disk.replace(&path, &text.as_bytes()[..self.lot.below(text.len() + 1)]),
            _ if text.as_bytes().starts_with(&there) => {
                let more = &text.as_bytes()[there.len()..];
                self.disk.append(&path, &more[..self.lot.below(more.len() + 1)]);
            }
            _ => self.disk.overwrite(&path, text.as_bytes()),
        }
        self.trace(|| {
            format!("{} bytes of {}", self.disk.read(&path).unwrap_or_default().len(), path.display())
        });
        let _ = self.runtime.block_on(run.store.reader().fold_peers());
    }

    /// Somebody does something to the journal.
    pub(super) fn harm_journal(&mut self, run: &mut Run) {
        let path = self.journal();
        let Some(bytes) = self.disk.read(&path) else { return };
        let older = &bytes[..bytes
            .iter()
            .take(self.lot.below(bytes.len() + 1))
            .rposition(|b| *b == b'\n')
            .map_or(0, |end| end + 1)];
        let kind = self.lot.below(7);
        self.trace(|| format!("the journal is harmed ({kind})"));
        self.is_harmed = true;
        match kind {
            0 => self.disk.replace(&path, older),
            1 => self.disk.replace(&path, &bytes),
            2 => self.disk.remove(&path),
            3 => self.disk.overwrite(&path, older),
            4 => self.disk.append(&path, b"more"),
            5 => self.disk.replace(&path, b"[server]\n"),
            _ => {
                let away = path.with_file_name(".away");
                self.disk.rename(&path, &away);
                if self.one_in(2) {
                    self.record(run);
                }
                if self.disk.is_running() {
                    self.disk.rename(&away, &path);
                    self.is_harmed = true;
                }
            }
        }
        if self.one_in(2) {
            self.record(run);
        }
    }
}
