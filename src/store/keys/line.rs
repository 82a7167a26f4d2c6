//! A key as a file: one line with what it is, 64 hex digits, and 8 that check them.

use crate::model::hex;
use crate::store::digest::{sha256, unhex};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    Task,
}

impl Kind {
    const fn label(self) -> &'static str {
        match self {
            Self::Deployment => "amparo-deployment-key-v1",
            Self::Task => "amparo-task-key-v1",
        }
    }
}

/// The file's bytes.
pub(super) fn format(kind: Kind, key: &[u8; 32]) -> Vec<u8> {
    format!("{} {} {}\n", kind.label(), hex(key), check(kind, key)).into_bytes()
}

/// The key; the error says what is wrong with the file.
pub(super) fn parse(kind: Kind, bytes: &[u8]) -> Result<[u8; 32], &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text")?;
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    let [label, digits, sum] = parts[..] else { return Err("it is not a key file of amparo") };
    if label != kind.label() {
        return Err("it is another kind of key");
    }
    let key = unhex::<32>(digits).ok_or("its key is not 64 hex digits")?;
    if sum == check(kind, &key) { Ok(key) } else { Err("its key does not match its check digits") }
}

/// Tells a mistyped or bit-rotten key; nothing about the key can be learnt from 8 digits of a hash of 32 random bytes.
fn check(kind: Kind, key: &[u8; 32]) -> String {
    let digest = sha256(&[kind.label().as_bytes(), key].concat());
    digest.chars().take(8).collect()
}
