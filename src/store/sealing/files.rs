//! age files on disk: keys, encrypted packages, and packages opened again.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::super::digest::content_of;
use super::super::user_file::create_file;
use super::super::{Content, StoreError};
use super::{Identities, encryptor, new_key};
use crate::manifest::sealed::Unopened;
use crate::model::hex;

/// Bytes that are copied at once.
const CHUNK: usize = 1 << 16;

/// Writes a new identity file, 0600, where there is none; gives its recipient.
///
/// # Errors
/// [`StoreError::Exists`] where something of that name is there: a key is never overwritten; [`StoreError::Io`].
pub fn create_key(path: &Path, now: Timestamp) -> Result<String, StoreError> {
    let (text, recipient) = new_key(&now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    create_file(path, |out| out.write_all(text.expose().as_bytes()))?;
    Ok(recipient)
}

/// Encrypts a finished package in scratch space to recipients, beside itself as `NAME.age`, and removes the plain
/// one. Gives the new file and its digest. `plain_sha256` is what the plain one must be.
///
/// # Errors
/// [`StoreError::Recipient`], [`StoreError::PackageChanged`], [`StoreError::Io`]. The plain file is gone all the
/// same, and the other one too.
pub fn encrypt_file(
    plain: &Path,
    plain_sha256: &str,
    recipients: &[String],
) -> Result<(PathBuf, Content), StoreError> {
    let mut name = plain.as_os_str().to_owned();
    name.push(".age");
    let out = PathBuf::from(name);
    let encrypted = encrypt_beside(plain, plain_sha256, recipients, &out);
    let removed = fs::remove_file(plain).map_err(StoreError::io("remove", plain));
    match encrypted.and_then(|content| removed.map(|()| content)) {
        Ok(content) => Ok((out, content)),
        Err(error) => {
            let _ = fs::remove_file(&out);
            Err(error)
        }
    }
}

fn encrypt_beside(
    plain: &Path,
    plain_sha256: &str,
    recipients: &[String],
    out: &Path,
) -> Result<Content, StoreError> {
    let encryptor = encryptor(recipients)?;
    let source = File::open(plain).map_err(StoreError::io("read", plain))?;
    let mut digest = Sha256::new();
    create_file(out, |file| {
        let mut writer = encryptor.wrap_output(BufWriter::new(file))?;
        let mut source = BufReader::with_capacity(CHUNK, source);
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = source.read(&mut chunk)?;
            let bytes = chunk.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
            digest.update(bytes);
            writer.write_all(bytes)?;
        }
        writer.finish()?.flush()
    })?;
    if hex(&digest.finalize()) != plain_sha256 {
        return Err(StoreError::PackageChanged { path: plain.to_owned() });
    }
    File::open(out).and_then(content_of).map_err(StoreError::io("read", out))
}

/// Opens an encrypted package (or any age file) into a new file, 0600, where there is none: whole, or not at all.
///
/// # Errors
/// [`StoreError::NotOurs`], [`StoreError::AgeFile`], [`StoreError::Exists`], [`StoreError::Io`].
pub fn open_file(package: &Path, out: &Path, keys: &Identities) -> Result<(), StoreError> {
    let file = File::open(package).map_err(StoreError::io("read", package))?;
    let damaged = || StoreError::AgeFile { path: package.to_owned() };
    let mut reader = keys.reader(BufReader::new(file)).map_err(|error| match error {
        Unopened::NotOurs => StoreError::NotOurs { path: package.to_owned() },
        Unopened::Damaged => damaged(),
    })?;
    let mut broken = false;
    let written = create_file(out, |file| {
        let mut out = BufWriter::new(file);
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = reader.read(&mut chunk).inspect_err(|_| broken = true)?;
            let bytes = chunk.get(..read).unwrap_or_default();
            if bytes.is_empty() {
                return out.flush();
            }
            out.write_all(bytes)?;
        }
    });
    // What the age crate says of a damaged file is not repeated.
    if broken { Err(damaged()) } else { written }
}
