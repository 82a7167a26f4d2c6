//! `STATE/head`: number and digest of the newest commit, so that it cannot be changed or dropped unseen.

use std::fmt;
use std::str::FromStr;

use crate::store::digest::{sha256, unhex};

/// The file.
pub(super) const FILE: &str = "head";

/// A commit: `N:SHA256`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number, from 1.
    pub seq: u64,
    /// SHA-256 of the commit file's bytes, in lower-case hex.
    pub sha256: String,
}

/// A text that is no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a head is written N:SHA256, with 64 hex digits")]
pub struct HeadError;

impl Head {
    /// The head of a commit.
    pub(super) fn of(seq: u64, bytes: &[u8]) -> Self {
        Self { seq, sha256: sha256(bytes) }
    }

    /// What the file holds.
    pub(super) fn line(&self) -> String {
        format!("{self}\n")
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.sha256)
    }
}

impl FromStr for Head {
    type Err = HeadError;

    fn from_str(text: &str) -> Result<Self, HeadError> {
        let (seq, digest) = text.trim_end().split_once(':').ok_or(HeadError)?;
        let digits = !seq.is_empty() && seq.bytes().all(|b| b.is_ascii_digit());
        let seq = seq.parse().ok().filter(|_| digits).ok_or(HeadError)?;
        let sha256 = digest.to_ascii_lowercase();
        unhex::<32>(&sha256).ok_or(HeadError)?;
        Ok(Self { seq, sha256 })
    }
}
