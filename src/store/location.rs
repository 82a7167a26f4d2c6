//! Where state and packages lie: a directory, or a URL.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// The directory that a text names: a path, relative to `base`, or a `file://` URL.
///
/// # Errors
/// [`StoreError::Scheme`] for other URLs (object stores are to come), [`StoreError::FileUrl`] for a
/// file URL of another machine or without an absolute path.
pub fn directory(text: &str, base: &Path) -> Result<PathBuf, StoreError> {
    match scheme(text) {
        None => Ok(base.join(text)),
        Some("file") => file_url(text).ok_or_else(|| StoreError::FileUrl { url: text.into() }),
        Some(_) => Err(StoreError::Scheme { url: without_path(text) }),
    }
}

/// The scheme of a URL; a path has none.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let mut characters = scheme.chars();
    let alphabetic = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let rest = characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    (alphabetic && rest).then_some(if scheme.eq_ignore_ascii_case("file") {
        "file"
    } else {
        scheme
    })
}

/// Scheme and host: user names, passwords and paths stay out of errors.
fn without_path(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}")
}

/// `file:///path` or `file://localhost/path`, percent-decoded.
fn file_url(url: &str) -> Option<PathBuf> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(if byte == b'%' {
            let digit = |b: Option<u8>| char::from(b?).to_digit(16);
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            u8::try_from(high * 16 + low).ok().filter(|b| *b != 0)?
        } else {
            byte
        });
    }
    Some(PathBuf::from(OsString::from_vec(decoded)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn paths_and_file_urls_are_directories() {
        let base = Path::new("/base");
        let at = |text: &str| directory(text, base).unwrap();
        assert_eq!(at("state"), Path::new("/base/state"));
        assert_eq!(at("/abs/state"), Path::new("/abs/state"));
        assert_eq!(at("file:///abs/a%20b"), Path::new("/abs/a b"));
        assert_eq!(at("FILE://localhost/abs"), Path::new("/abs"));
        assert_eq!(at("odd:name"), Path::new("/base/odd:name"));
        assert_eq!(at("a/b://c"), Path::new("/base/a/b://c"));
    }

    #[test]
    fn other_urls_are_refused_without_their_secrets() {
        let error = |text: &str| directory(text, Path::new("/")).unwrap_err().to_string();
        assert_eq!(
            error("s3://user:secret@bucket/path?token=x"),
            "s3://bucket is not supported yet: give a directory or a file:// URL"
        );
        for bad in ["file://host/path", "file://", "file:///a%2", "file:///a%00", "file:///%zz"] {
            assert!(error(bad).contains("is not a file URL"), "{bad}");
        }
    }
}
