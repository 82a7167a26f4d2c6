//! age: keys that open sealed values and packages, and encryption to recipients.
//!
//! Guarantees: keys are shown by no `Debug` and stand in no error; errors of the age crate, which may quote what
//! they met, are not repeated. A package is encrypted as a stream: memory does not grow with it.
//! Crash behaviour: what a crash leaves is a staged file, never half of one under its name.

mod files;
#[cfg(test)]
mod tests;

pub use files::{create_key, encrypt_file, open_file};

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use age::secrecy::ExposeSecret;
use age::x25519::{Identity, Recipient};

use super::StoreError;
use crate::manifest::sealed::{Opener, Unopened};
use crate::model::{Sensitive, holds_secret_key};

/// The most that an identity file may have: a folder's worth of keys, and no data by mistake.
const LARGEST: u64 = 1 << 20;

/// The keys of an identity file.
#[derive(Clone)]
pub struct Identities(Vec<Identity>);

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} identities", self.0.len())
    }
}

impl Identities {
    /// Reads an age identity file: one `AGE-SECRET-KEY-1…` a line; empty lines and lines with `#` are left out.
    ///
    /// # Errors
    /// [`StoreError::KeyForFile`]; [`StoreError::Io`]; [`StoreError::IdentityFile`] for a file without a key, or with
    /// anything else.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        if holds_secret_key(&path.to_string_lossy()) {
            return Err(StoreError::KeyForFile);
        }
        let file = fs::File::open(path).map_err(StoreError::io("read", path))?;
        let mut text = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut text).map_err(StoreError::io("read", path))?;
        let wrong = |what: String| StoreError::IdentityFile { path: path.to_owned(), what };
        if text.len() as u64 > LARGEST {
            return Err(wrong("it is larger than 1 MiB".to_owned()));
        }
        let text = String::from_utf8(text).map_err(|_| wrong("it is no text".to_owned()))?;
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = line
                .parse()
                .map_err(|_| wrong(format!("line {} is no key (AGE-SECRET-KEY-1…)", number + 1)))?;
            keys.push(key);
        }
        if keys.is_empty() {
            return Err(wrong("it holds no key (AGE-SECRET-KEY-1…)".to_owned()));
        }
        Ok(Self(keys))
    }

    /// A reader of the plain bytes of an age file. Bytes count only once the reader has come to its end.
    fn reader<R: io::BufRead>(&self, file: R) -> Result<impl Read + use<R>, Unopened> {
        let decryptor = age::Decryptor::new_buffered(file).map_err(|_| Unopened::Damaged)?;
        decryptor.decrypt(self.0.iter().map(|key| key as &dyn age::Identity)).map_err(|error| {
            match error {
                age::DecryptError::NoMatchingKeys => Unopened::NotOurs,
                _ => Unopened::Damaged,
            }
        })
    }
}

impl Opener for Identities {
    fn open(&self, sealed: &[u8]) -> Result<Sensitive<Vec<u8>>, Unopened> {
        let mut plain = Vec::new();
        self.reader(sealed)?.read_to_end(&mut plain).map_err(|_| Unopened::Damaged)?;
        Ok(Sensitive::new(plain))
    }
}

/// Encrypts bytes to recipients, in memory.
///
/// # Errors
/// [`StoreError::Recipient`] where one cannot be used, or there is none.
pub fn encrypt(plain: &Sensitive<Vec<u8>>, recipients: &[String]) -> Result<Vec<u8>, StoreError> {
    let mut file = Vec::new();
    let write = |out: &mut Vec<u8>| {
        let mut writer = encryptor(recipients)?.wrap_output(out).map_err(in_memory)?;
        writer.write_all(plain.expose()).map_err(in_memory)?;
        writer.finish().map_err(in_memory)?;
        Ok(())
    };
    write(&mut file)?;
    Ok(file)
}

fn in_memory(error: io::Error) -> StoreError {
    StoreError::io("encrypt", "a value")(error)
}

fn encryptor(recipients: &[String]) -> Result<age::Encryptor, StoreError> {
    let unusable = || StoreError::Recipient;
    let parsed: Vec<Recipient> = recipients
        .iter()
        .map(|recipient| recipient.parse().map_err(|_| unusable()))
        .collect::<Result<_, _>>()?;
    age::Encryptor::with_recipients(parsed.iter().map(|r| r as &dyn age::Recipient))
        .map_err(|_| unusable())
}

/// A new key: the text of its identity file, and its recipient.
fn new_key(created: &str) -> (Sensitive<String>, String) {
    let key = Identity::generate();
    let recipient = key.to_public().to_string();
    let text = format!(
        "# created: {created}\n# public key: {recipient}\n{}\n",
        key.to_string().expose_secret()
    );
    (Sensitive::new(text), recipient)
}
