//! The new file in the making.

use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::error::{Outcome, Problem};

/// Ranges of the new file that are not the source's, with their checksums.
pub(crate) type Written = Vec<(Range<u64>, u32)>;

/// The file in the making. Nothing is written before the first byte that the source does not have.
pub(crate) struct Out<'a> {
    source: &'a File,
    file: &'a File,
    /// Where the next byte goes.
    at: u64,
    /// What is to be copied before anything else is written.
    pending: Vec<Range<u64>>,
    copied: u64,
    written: Written,
}

impl<'a> Out<'a> {
    pub(crate) const fn new(source: &'a File, file: &'a File) -> Self {
        Self { source, file, at: 0, pending: Vec::new(), copied: 0, written: Vec::new() }
    }

    /// Where the next byte goes.
    pub(crate) const fn at(&self) -> u64 {
        self.at
    }

    /// Bytes copied, and what else was written.
    pub(crate) fn finish(self) -> (u64, Written) {
        (self.copied, self.written)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.flush()?;
        let mut file = self.file;
        file.write_all(bytes).map_err(Problem::io("write beside"))?;
        let start = self.at;
        self.at += bytes.len() as u64;
        self.written.push((start..self.at, crc32fast::hash(bytes)));
        Ok(())
    }

    pub(crate) fn section(&mut self, bytes: &[u8]) -> Outcome<Range<u64>> {
        let start = self.at;
        self.bytes(bytes)?;
        Ok(start..self.at)
    }

    pub(crate) fn copy(&mut self, range: Range<u64>) {
        self.at += range.end - range.start;
        match self.pending.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => self.pending.push(range),
        }
    }

    /// Copies what is to be copied.
    pub(crate) fn flush(&mut self) -> Outcome<()> {
        const STEP: usize = 1 << 19;
        let mut buffer = vec![0; if self.pending.is_empty() { 0 } else { STEP }];
        for range in self.pending.drain(..) {
            let mut from = range.start;
            while from < range.end {
                let step = &mut buffer[..(range.end - from).min(STEP as u64) as usize];
                self.source.read_exact_at(step, from).map_err(Problem::io("read"))?;
                let mut file = self.file;
                file.write_all(step).map_err(Problem::io("write beside"))?;
                from += step.len() as u64;
            }
            self.copied += range.end - range.start;
        }
        Ok(())
    }
}
