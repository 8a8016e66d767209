//! The lines of facts as the journals have them, several to a value: they are written and read as neighbours.

use super::database::DatabaseError;
use super::keys::join;
use super::line::Noted;

/// The lines of one value; the last value of a device is written again with each line.
const LINES: u64 = 16;

#[derive(Debug)]
pub(super) struct Blocks(pub(super) sled::Tree);

impl Blocks {
    /// Adds lines, each in its place; what was there from that place on is written over.
    pub(super) fn add(&self, facts: &[Noted<'_>]) -> Result<(), DatabaseError> {
        let block = |seq: u64| seq.saturating_sub(1) / LINES;
        let is_same =
            |(a, _): &Noted, (b, _): &Noted| block(a.id.seq) == block(b.id.seq) && a.id.device == b.id.device;
        for neighbours in facts.chunk_by(is_same) {
            let Some((first, _)) = neighbours.first() else { continue };
            let (key, place) = place(&first.id.device, first.id.seq);
            let mut block = String::new();
            if place > 0 {
                let held = self.0.get(&key)?.unwrap_or_default();
                let mut held =
                    std::str::from_utf8(&held).map_err(|_| DatabaseError::Damaged)?.split_inclusive('\n');
                block.extend(held.by_ref().take(place));
                if block.matches('\n').count() < place {
                    return Err(DatabaseError::Damaged);
                }
            }
            for (_, text) in neighbours {
                block.push_str(text);
                block.push('\n');
            }
            self.0.insert(key, block.into_bytes())?;
        }
        Ok(())
    }

    /// Returns a line; `None` where there is none of that number.
    pub(super) fn line(&self, device: &str, seq: u64) -> Result<Option<String>, DatabaseError> {
        let (key, place) = place(device, seq);
        let Some(block) = self.0.get(key)? else { return Ok(None) };
        let block = std::str::from_utf8(&block).map_err(|_| DatabaseError::Damaged)?;
        Ok(block.lines().nth(place).map(ToOwned::to_owned))
    }
}

/// Returns the key of the block in which a fact's line stands, and how many stand before it there.
fn place(device: &str, seq: u64) -> (Vec<u8>, usize) {
    let before = seq.saturating_sub(1);
    let key = join(&[device.as_bytes(), &[0], &(before / LINES).to_be_bytes()]);
    (key, usize::try_from(before % LINES).unwrap_or(usize::MAX))
}
