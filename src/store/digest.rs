//! SHA-256, hex and random bytes: the few lines that everything here shares.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use crate::model::hex;

use super::{Content, StoreError};

/// The bytes of lower-case hex of exactly `N` bytes; `None` for anything else.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    unhex_all(text)?.try_into().ok()
}

/// The bytes of lower-case hex; `None` for anything else.
pub(crate) fn unhex_all(text: &str) -> Option<Vec<u8>> {
    let lower = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| {
        let digits = pair.iter().all(lower).then_some(pair)?;
        u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    pairs.iter().map(byte).collect()
}

/// SHA-256 in hex: for public bytes only (CONTRACT.md section 3).
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 and length of everything that a reader gives.
pub(crate) fn content_of(mut reader: impl Read) -> io::Result<Content> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(Content { sha256: hex(&hasher.finalize()), bytes }),
            Ok(n) => {
                hasher.update(buffer.get(..n).unwrap_or_default());
                bytes += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Random)?;
    Ok(bytes)
}
