//! The lines of facts as the journals have them, several to a value: they are written and read as neighbours.
//!
//! Neighbours say almost the same, so a value is compressed: what sled writes, and reads at a start, is a fraction.

use lz4_flex::block::{compress_prepend_size, decompress, uncompressed_size};

use super::database::DatabaseError;
use super::keys::join;
use super::line::{MAX_LINE_BYTES, Noted};

/// The lines of one value; the last value of a device is written again with each line.
const LINES: usize = 16;

/// The bytes of the longest value, unpacked.
const MAX_BYTES: usize = LINES * (MAX_LINE_BYTES + 1);

#[derive(Debug)]
pub(super) struct Blocks(pub(super) sled::Tree);

impl Blocks {
    /// Adds lines, each in its place; what was there from that place on is written over.
    pub(super) fn add(&self, facts: &[Noted<'_>]) -> Result<(), DatabaseError> {
        let block = |seq: u64| seq.saturating_sub(1) / LINES as u64;
        let is_same =
            |(a, _): &Noted, (b, _): &Noted| block(a.id.seq) == block(b.id.seq) && a.id.device == b.id.device;
        for neighbours in facts.chunk_by(is_same) {
            let Some((first, _)) = neighbours.first() else { continue };
            let (key, place) = place(&first.id.device, first.id.seq);
            let mut block = String::new();
            if place > 0 {
                let held = self.0.get(&key)?.map(|held| unpacked(&held)).transpose()?.unwrap_or_default();
                block.extend(held.split_inclusive('\n').take(place));
                if block.matches('\n').count() < place {
                    return Err(DatabaseError::Damaged);
                }
            }
            for (_, text) in neighbours {
                block.push_str(text);
                block.push('\n');
            }
            self.0.insert(key, compress_prepend_size(block.as_bytes()))?;
        }
        Ok(())
    }

    /// Begins to read lines one after the other.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading { blocks: self, held: None }
    }
}

/// Reads lines one after the other: neighbours are unpacked once.
pub(super) struct Reading<'a> {
    blocks: &'a Blocks,
    /// The last value, with its key.
    held: Option<(Vec<u8>, String)>,
}

impl Reading<'_> {
    /// Returns a line; `None` where there is none of that number.
    pub(super) fn line(&mut self, device: &str, seq: u64) -> Result<Option<&str>, DatabaseError> {
        let (key, place) = place(device, seq);
        if self.held.as_ref().is_none_or(|(held, _)| *held != key) {
            let Some(value) = self.blocks.0.get(&key)? else { return Ok(None) };
            self.held = Some((key, unpacked(&value)?));
        }
        Ok(self.held.as_ref().and_then(|(_, block)| block.lines().nth(place)))
    }
}

fn unpacked(value: &[u8]) -> Result<String, DatabaseError> {
    let (size, packed) = uncompressed_size(value).map_err(|_| DatabaseError::Damaged)?;
    // What is damaged is not to be given room for gigabytes.
    if size > MAX_BYTES {
        return Err(DatabaseError::Damaged);
    }
    let block = decompress(packed, size).map_err(|_| DatabaseError::Damaged)?;
    String::from_utf8(block).map_err(|_| DatabaseError::Damaged)
}

/// Returns the key of the block in which a fact's line stands, and how many stand before it there.
fn place(device: &str, seq: u64) -> (Vec<u8>, usize) {
    let before = seq.saturating_sub(1);
    let key = join(&[device.as_bytes(), &[0], &(before / LINES as u64).to_be_bytes()]);
    (key, usize::try_from(before % LINES as u64).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_lies_is_damage() {
        let block = "{\"seq\":1}\n{\"seq\":2}\n".repeat(8);
        let packed = compress_prepend_size(block.as_bytes());
        assert!(packed.len() < block.len() / 4);
        assert_eq!(unpacked(&packed).unwrap(), block);
        let too_large = [&u32::MAX.to_le_bytes(), &packed[4..]].concat();
        let too_small = [&1u32.to_le_bytes(), &packed[4..]].concat();
        let no_text = compress_prepend_size(&[0xff; 8]);
        for damaged in [&[][..], &packed[..3], &packed[..packed.len() - 1], &too_large, &too_small, &no_text]
        {
            assert!(matches!(unpacked(damaged), Err(DatabaseError::Damaged)), "{damaged:?}");
        }
    }
}
