#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;

use super::super::digest::sha256;
use super::*;

fn key(dir: &Path, name: &str) -> (Identities, String) {
    let path = dir.join(name);
    let recipient = create_key(&path, jiff::Timestamp::UNIX_EPOCH).unwrap();
    (Identities::read(&path).unwrap(), recipient)
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let (keys, recipient) = key(dir.path(), "key");
    let path = dir.path().join("key");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# created: 1970-01-01T00:00:00Z\n# public key: age1"), "{text}");
    assert!(text.contains(&recipient));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(format!("{keys:?}"), "1 identities");
    assert!(create_key(&path, jiff::Timestamp::UNIX_EPOCH).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn each_recipient_opens_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let [(one, a), (two, b), (other, _)] = ["1", "2", "3"].map(|name| key(dir.path(), name));
    let plain = Sensitive::new(b"secret".to_vec());
    let file = encrypt(&plain, &[a, b]).unwrap();
    assert_eq!(one.open(&file).unwrap(), plain);
    assert_eq!(two.open(&file).unwrap(), plain);
    assert_eq!(other.open(&file), Err(Unopened::NotOurs));
    assert_eq!(one.open(&file[..file.len() - 1]), Err(Unopened::Damaged));
    assert_eq!(one.open(b"secret"), Err(Unopened::Damaged));
    assert!(matches!(encrypt(&plain, &[]), Err(StoreError::Recipient)));
    assert!(matches!(encrypt(&plain, &["age1x".to_owned()]), Err(StoreError::Recipient)));
}

#[test]
fn identity_files_that_are_none_are_named_and_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let secret = "AGE-SECRET-KEY-1QQQQQ";
    for text in ["", "# nothing\n", secret, "john@mail.com\n", "\u{0}"] {
        fs::write(&path, text).unwrap();
        let error = Identities::read(&path).unwrap_err();
        assert!(matches!(error, StoreError::IdentityFile { .. }), "{text}");
        assert!(!error.to_string().contains("QQQ") && !error.to_string().contains("john"));
    }
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(Identities::read(&path).is_err());
    assert!(Identities::read(&dir.path().join("gone")).is_err());
}

#[test]
fn packages_are_encrypted_as_a_stream_and_opened_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (keys, recipient) = key(dir.path(), "key");
    let (stranger, _) = key(dir.path(), "other");
    let recipients = [recipient];
    // Over several chunks of 64 KiB, and on their border.
    for length in [0_usize, 1, 65_536, 200_001] {
        let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let path = dir.path().join("package.zip");
        fs::write(&path, &plain).unwrap();
        let (file, content) = encrypt_file(&path, &sha256(&plain), &recipients).unwrap();
        assert!(!path.exists(), "the plain one is still there");
        assert_eq!(file, dir.path().join("package.zip.age"));
        assert_eq!(content.sha256, sha256(&fs::read(&file).unwrap()));
        let out = dir.path().join("opened.zip");
        assert!(matches!(open_file(&file, &out, &stranger), Err(StoreError::NotOurs { .. })));
        open_file(&file, &out, &keys).unwrap();
        assert_eq!(fs::read(&out).unwrap(), plain);
        assert!(matches!(open_file(&file, &out, &keys), Err(StoreError::Exists { .. })));
        fs::remove_file(&out).unwrap();
        // Cut short at a chunk's end, too: nothing is left behind.
        let bytes = fs::read(&file).unwrap();
        for cut in [bytes.len() - 1, bytes.len().saturating_sub(16 + length % 65_536)] {
            fs::write(&file, &bytes[..cut]).unwrap();
            let error = open_file(&file, &out, &keys).unwrap_err();
            assert!(matches!(error, StoreError::AgeFile { .. }), "{length} {cut}: {error}");
            assert!(!out.exists());
        }
        fs::remove_file(&file).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "something was left");
    }
}

#[test]
fn a_package_that_is_not_what_was_compiled_is_not_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    let (_, recipient) = key(dir.path(), "key");
    let path = dir.path().join("package.zip");
    for recipients in [vec![recipient], vec!["age1broken".to_owned()]] {
        fs::write(&path, "plain").unwrap();
        assert!(encrypt_file(&path, &sha256(b"other"), &recipients).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the key is left");
    }
}
