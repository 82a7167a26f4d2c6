//! Sealed values: `sealed:age:BASE64`, an age file (binary form, one line of standard base64) around a small JSON
//! document that binds the value to its namespace and its request.
//!
//! ```json
//! {"v":1,"namespace":"crm-id","request":"2026-11-acme","value":"ACME-12345678"}
//! ```
//!
//! Guarantees: what is opened counts only where namespace and request are those that it was sealed for. The
//! document is padded with spaces, so that the length of the sealed text tells little of the value's. No error
//! and no `Debug` holds a value. Pure: whoever has the key implements [`Opener`]; encrypting is the store's.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::model::{Name, NamespaceName, Sensitive};

#[cfg(test)]
mod tests;

/// What a sealed value starts with.
const PREFIX: &str = "sealed:";
/// The only method.
const METHOD: &str = "age:";
/// The document's length is a multiple of this.
const BLOCK: usize = 128;
/// The stanza of an age file for an X25519 recipient.
const STANZA: &[u8] = b"-> X25519 ";

/// Who can open sealed values.
pub trait Opener: std::fmt::Debug {
    /// The plain bytes of an age file.
    ///
    /// # Errors
    /// See [`Unopened`].
    fn open(&self, sealed: &[u8]) -> Result<Sensitive<Vec<u8>>, Unopened>;
}

/// Why a sealed value cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// It is sealed to other keys.
    NotOurs,
    /// It has been changed, or is no age file.
    Damaged,
}

/// A sealed value whose form is right.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    file: Vec<u8>,
    recipients: usize,
}

/// Why a sealed value does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// See [`Unopened::NotOurs`].
    NotOurs,
    /// See [`Unopened::Damaged`]; or it holds no document of ours.
    Damaged,
    /// It was sealed for another namespace.
    Namespace,
    /// It was sealed for another request.
    Request,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    v: u32,
    namespace: String,
    request: String,
    value: String,
}

/// Whether a value claims to be sealed.
pub fn is_sealed(text: &str) -> bool {
    text.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// An age file as a scalar.
pub fn scalar(file: &[u8]) -> String {
    format!("{PREFIX}{METHOD}{}", STANDARD.encode(file))
}

/// What is to be encrypted for a value.
///
/// # Errors
/// Never for text; the JSON writer's own.
pub fn document(
    namespace: &NamespaceName,
    request: &Name,
    value: &Sensitive<String>,
) -> io::Result<Sensitive<Vec<u8>>> {
    let document = Document {
        v: 1,
        namespace: namespace.folded().to_owned(),
        request: request.as_str().to_owned(),
        value: value.expose().clone(),
    };
    let mut bytes = serde_json::to_vec(&document)?;
    bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
    Ok(Sensitive::new(bytes))
}

impl Sealed {
    /// Reads the form of a value that claims to be sealed, as far as that needs no key.
    ///
    /// # Errors
    /// What is wrong with it, as a lower-case fragment.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let body = text
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix(METHOD))
            .ok_or("it does not start with `sealed:age:`")?;
        let file = STANDARD.decode(body).map_err(|_| "what follows `age:` is no base64")?;
        age::Decryptor::new_buffered(&*file).map_err(|_| "it is no age file")?;
        let header = file.split(|byte| *byte == b'\n').take_while(|line| !line.starts_with(b"---"));
        let recipients = header.filter(|line| line.starts_with(STANZA)).count();
        if recipients == 0 {
            return Err("it is encrypted to no age recipient (age1…)");
        }
        Ok(Self { file, recipients })
    }

    /// To how many recipients it is sealed: to which, nobody can tell.
    pub const fn recipients(&self) -> usize {
        self.recipients
    }

    /// The value, if it was sealed for this namespace and request.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn open(
        &self,
        opener: &dyn Opener,
        namespace: &NamespaceName,
        request: &str,
    ) -> Result<Sensitive<String>, Refused> {
        let plain = opener.open(&self.file).map_err(|error| match error {
            Unopened::NotOurs => Refused::NotOurs,
            Unopened::Damaged => Refused::Damaged,
        })?;
        // The error may quote the value.
        let document: Document =
            serde_json::from_slice(plain.expose()).map_err(|_| Refused::Damaged)?;
        let value = Sensitive::new(document.value);
        match NamespaceName::new(&document.namespace) {
            _ if document.v != 1 => Err(Refused::Damaged),
            None => Err(Refused::Damaged),
            Some(sealed_for) if sealed_for != *namespace => Err(Refused::Namespace),
            Some(_) if document.request != request => Err(Refused::Request),
            Some(_) => Ok(value),
        }
    }
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed to {} recipients", self.recipients)
    }
}

/// What a digest in place of a value starts with.
const DIGEST: &str = "hmac-sha256:";

/// The digest of a scalar, in hex; `None` where it is not of the form `hmac-sha256:` and 64 lower-case hex digits.
pub fn read_digest(text: &str) -> Option<&str> {
    let hex = text.strip_prefix(DIGEST)?;
    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    (hex.len() == 64 && hex.bytes().all(digit)).then_some(hex)
}

/// A digest as a scalar.
pub fn digest_scalar(hex: &str) -> String {
    format!("{DIGEST}{hex}")
}
