//! The keys of `hmac` erase methods, which Settings names and the user keeps.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use crate::model::{KeySource, Sensitive};
use crate::store::StoreError;

/// Fewer bytes could be guessed.
const MIN_BYTES: usize = 16;

/// Reads a key: all bytes of the file (relative to `base`) or variable, without one newline at the end.
///
/// # Errors
/// [`StoreError::HmacKeyMissing`], [`StoreError::HmacKeyShort`] (fewer than 16 bytes), [`StoreError::Io`].
pub fn hmac_key(source: &KeySource, base: &Path) -> Result<Sensitive<Vec<u8>>, StoreError> {
    read(source, base, |name| std::env::var_os(name))
}

fn read(
    source: &KeySource,
    base: &Path,
    variable: impl FnOnce(&str) -> Option<OsString>,
) -> Result<Sensitive<Vec<u8>>, StoreError> {
    let (place, bytes) = match source {
        KeySource::Env(name) => {
            (format!("environment variable {name}"), variable(name).map(OsString::into_vec))
        }
        KeySource::File(path) => {
            let path = base.join(path);
            let bytes = match std::fs::read(&path) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(StoreError::io("read the key", path)(error)),
            };
            (path.display().to_string(), bytes)
        }
    };
    let Some(mut bytes) = bytes else { return Err(StoreError::HmacKeyMissing { place }) };
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    if bytes.len() < MIN_BYTES {
        return Err(StoreError::HmacKeyShort { place });
    }
    Ok(Sensitive::new(bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn env(value: &str) -> Result<Sensitive<Vec<u8>>, StoreError> {
        let source = KeySource::Env("AMPARO_KEY".to_owned());
        read(&source, Path::new("/"), |name| (name == "AMPARO_KEY").then(|| value.into()))
    }

    #[test]
    fn one_newline_at_the_end_is_not_part_of_the_key() {
        let key = |value: &str| env(value).unwrap().into_inner();
        assert_eq!(key("0123456789abcdef"), b"0123456789abcdef");
        assert_eq!(key("0123456789abcdef\n"), b"0123456789abcdef");
        assert_eq!(key("0123456789abcdef\r\n"), b"0123456789abcdef");
        assert_eq!(key("0123456789abcdef\n\n"), b"0123456789abcdef\n");
        assert_eq!(key(" 0123456789abcdef "), b" 0123456789abcdef ");
    }

    #[test]
    fn short_and_missing_keys_are_errors_that_do_not_show_them() {
        let error = env("0123456789abcde\n").unwrap_err();
        assert!(matches!(&error, StoreError::HmacKeyShort { .. }));
        assert!(!format!("{error} {error:?}").contains("0123"));
        let source = KeySource::Env("OTHER".to_owned());
        let error = read(&source, Path::new("/"), |_| None).unwrap_err();
        assert_eq!(error.to_string(), "there is no key in environment variable OTHER");
    }

    #[test]
    fn files_are_read_relative_to_the_working_directory() {
        let dir = tempfile::tempdir().unwrap();
        let source = KeySource::File("join.key".into());
        let missing = hmac_key(&source, dir.path()).unwrap_err();
        assert!(matches!(missing, StoreError::HmacKeyMissing { .. }));
        std::fs::write(dir.path().join("join.key"), [0xff; 32]).unwrap();
        let key = hmac_key(&source, dir.path()).unwrap();
        assert_eq!(format!("{key:?}"), "***");
        assert_eq!(key.into_inner(), [0xff; 32]);
    }
}
