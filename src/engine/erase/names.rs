//! Names of staged files. The name of one that is ready to be swapped says which file it belongs to,
//! and by which marks the two are told apart, so that a killed swap can be understood without a record
//! of its own.

use std::ffi::OsStr;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::model::hex;
use crate::plan::FileStamp;

use super::error::{Outcome, Problem};

/// What all staged files start with: readers skip hidden files.
pub(crate) const PREFIX: &str = ".amparo-";

/// What a file is recognised by: inode, and 16 hex digits of its footer's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    inode: u64,
    footer: String,
}

impl Mark {
    pub(crate) fn of(stamp: &FileStamp) -> Self {
        Self { inode: stamp.inode, footer: stamp.footer.chars().take(16).collect() }
    }

    pub(crate) fn same_inode(&self, known: [&Self; 2]) -> bool {
        known.iter().any(|mark| mark.inode == self.inode)
    }

    pub(crate) fn same_footer(&self, other: &Self) -> bool {
        self.footer == other.footer
    }
}

/// The name of a staged file that is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Digest of the data file's name.
    pub(crate) file: String,
    /// The file that was planned.
    pub(crate) planned: Mark,
    /// The one that takes its place.
    pub(crate) staged: Mark,
}

impl Ready {
    pub(crate) fn new(path: &Path, planned: &FileStamp, staged: &FileStamp) -> Self {
        let file = path.file_name().map(name_digest).unwrap_or_default();
        Self { file, planned: Mark::of(planned), staged: Mark::of(staged) }
    }

    pub(crate) fn name(&self) -> String {
        let mark = |mark: &Mark| format!("{:x}-{}", mark.inode, mark.footer);
        format!("{PREFIX}ready-{}-{}-{}", self.file, mark(&self.planned), mark(&self.staged))
    }

    /// Reads a name; `None` where it is no ready file's.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(PREFIX)?.strip_prefix("ready-")?.split('-');
        let file = parts.next()?.to_owned();
        let mut mark = || {
            let inode = u64::from_str_radix(parts.next()?, 16).ok()?;
            Some(Mark { inode, footer: parts.next()?.to_owned() })
        };
        Some(Self { file, planned: mark()?, staged: mark()? })
    }
}

/// 16 hex digits of a name's digest.
pub(crate) fn name_digest(name: &OsStr) -> String {
    hex(&Sha256::digest(name.as_encoded_bytes())[..8])
}

/// A name for a file in the making.
pub(crate) fn draft_name() -> Outcome<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|_| {
        Problem::Io("draw a name beside", std::io::Error::other("no random numbers"))
    })?;
    Ok(format!("{PREFIX}draft-{:016x}", u64::from_le_bytes(random)))
}
