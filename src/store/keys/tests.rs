#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::model::{Action, Name};
use crate::store::LocalDisk;
use crate::store::testing::{Fault, FaultyStorage, quick_dir};

fn disk() -> (tempfile::TempDir, LocalDisk) {
    let dir = quick_dir();
    let disk = LocalDisk::new(dir.path());
    (dir, disk)
}

fn name(key: &str) -> TaskKeyName {
    let request = Name::new("acme").unwrap();
    let task = TaskId { request, key: Some(key.to_owned()), action: Some(Action::Delete) };
    TaskKeyName::of(&task, "fingerprint")
}

fn identity(value: &str) -> Identity {
    Identity {
        namespace: NamespaceName::new("Customer ID").unwrap(),
        given: Sensitive::new(value.to_owned()),
        canonical: Sensitive::new(value.to_lowercase()),
    }
}

#[test]
fn the_deployment_key_is_made_once_and_only_for_an_empty_ledger() {
    let (dir, disk) = disk();
    let keys = KeyStore::new(&disk);
    assert_eq!(keys.deployment().unwrap(), None);
    let gone = keys.deployment_or_make(false).unwrap_err();
    assert!(matches!(gone, StoreError::DeploymentKeyGone { .. }));
    let key = keys.deployment_or_make(true).unwrap();
    assert_eq!(keys.deployment().unwrap().unwrap(), key);
    assert_eq!(keys.deployment_or_make(false).unwrap(), key);
    assert_eq!(keys.deployment_or_make(true).unwrap(), key);
    assert_eq!(format!("{key:?}"), "DeploymentKey(***)");
    let mode = fs::metadata(dir.path().join("keys/deployment")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(keys.list().unwrap(), []);
    assert_eq!(keys.destroy_all_but(&BTreeSet::new()).unwrap(), 0);
    assert_eq!(keys.deployment().unwrap().unwrap(), key);
}

#[test]
fn a_damaged_deployment_key_is_an_error_and_not_another_key() {
    let (dir, disk) = disk();
    KeyStore::new(&disk).deployment_or_make(true).unwrap();
    let path = dir.path().join("keys/deployment");
    let good = fs::read_to_string(&path).unwrap();
    let digit = if good.contains('0') { good.replacen('0', "1", 1) } else { good.clone() + "x" };
    for bad in ["", "x", &good[..40], &good.to_uppercase(), &digit, &format!("{good}{good}")] {
        fs::write(&path, bad).unwrap();
        let error = KeyStore::new(&disk).deployment_or_make(true).unwrap_err();
        assert!(matches!(error, StoreError::KeyDamaged { .. }), "{bad:?}");
        assert!(error.to_string().contains("keys/deployment is damaged"), "{error}");
    }
}

#[test]
fn digests_depend_on_key_kind_and_parts() {
    let (_a, one) = disk();
    let (_b, two) = disk();
    let one = KeyStore::new(&one).deployment_or_make(true).unwrap();
    let two = KeyStore::new(&two).deployment_or_make(true).unwrap();
    let digest = one.digest("identity", &[b"a", b"bc"]);
    assert_eq!(digest.len(), 64);
    assert_eq!(digest, one.digest("identity", &[b"a", b"bc"]));
    for other in [
        two.digest("identity", &[b"a", b"bc"]),
        one.digest("fingerprint", &[b"a", b"bc"]),
        one.digest("identity", &[b"ab", b"c"]),
        one.digest("identity", &[b"abc"]),
        one.digest("identity", &[b"a", b"bc", b""]),
        one.request(b"abc"),
        one.file(std::path::Path::new("abc")),
    ] {
        assert_ne!(digest, other);
    }
}

#[test]
fn a_key_vouches_for_its_own_digests_only() {
    let (_dir, disk) = disk();
    let key = KeyStore::new(&disk).deployment_or_make(true).unwrap();
    let digest = key.digest("link", &[b"a", b"b"]);
    assert!(key.vouches("link", &[b"a", b"b"], &digest));
    assert!(!key.vouches("links", &[b"a", b"b"], &digest));
    assert!(!key.vouches("link", &[b"ab"], &digest));
    assert!(!key.vouches("link", &[b"a", b"b"], &digest.to_uppercase()));
    assert!(!key.vouches("link", &[b"a", b"b"], ""));
    for at in 0..digest.len() {
        let mut altered = digest.clone().into_bytes();
        altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(!key.vouches("link", &[b"a", b"b"], &altered), "{at}");
    }
    let (_other_dir, other_disk) = self::disk();
    let other = KeyStore::new(&other_disk).deployment_or_make(true).unwrap();
    assert!(!other.vouches("link", &[b"a", b"b"], &digest));
}

#[test]
fn hmac_is_the_standard_one() {
    // RFC 4231, test case 1, with the key padded by zeros, which HMAC does itself.
    let mut key = [0; 32];
    key[..20].fill(0x0b);
    assert_eq!(
        crate::model::hex(&deployment::hmac_sha256(&key, &[b"Hi ", b"There"])),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
}

fn found(value: &str) -> Remembered {
    Remembered { found: vec![identity(value)], ..Remembered::default() }
}

fn nothing() -> Remembered {
    Remembered::default()
}

#[test]
fn an_entry_has_one_text_whatever_the_order_of_its_parts() {
    let (a, b) = (identity("CUST-1"), identity("CUST-2"));
    let both = |parts: [&Identity; 2]| term(&IdentityTerm::AllOf(parts.map(Clone::clone).to_vec()));
    assert_eq!(both([&a, &b]), both([&b, &a]));
    assert_ne!(both([&a, &b]), term(&IdentityTerm::One(a)));
}

#[test]
fn a_task_key_comes_back_with_what_was_found() {
    let (dir, disk) = disk();
    let keys = KeyStore::new(&disk);
    assert_eq!(keys.load(&name("a")).unwrap(), None);
    let found = vec![identity("CUST-1"), identity("CUST-2")];
    let given = term(&IdentityTerm::One(identity("CUST-0")));
    let made = keys
        .create(&[
            (name("a"), Remembered { found, given: vec![given.clone()], scope: given.clone() }),
            (name("b"), nothing()),
        ])
        .unwrap();
    assert_ne!(made[0].pseudonyms, made[1].pseudonyms);
    assert_eq!(keys.load(&name("a")).unwrap().unwrap(), made[0]);
    assert_eq!(keys.load(&name("b")).unwrap().unwrap().found, []);
    assert!(!format!("{made:?}").contains("CUST"));
    let mut more = made[0].clone();
    more.found.push(identity("CUST-3"));
    keys.remember(&name("a"), &more).unwrap();
    assert_eq!(keys.load(&name("a")).unwrap().unwrap(), more);
    let again = keys.create(&[(name("a"), nothing())]).unwrap_err();
    assert!(matches!(again, StoreError::Exists { .. }));
    assert_eq!(keys.load(&name("a")).unwrap().unwrap(), more);
    for entry in fs::read_dir(dir.path().join("keys")).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = format!("{path:?} {}", String::from_utf8_lossy(&fs::read(&path).unwrap()));
        for word in ["CUST", "cust", "Customer", "acme"] {
            assert!(!text.contains(word), "{word} in {}", path.display());
        }
    }
}

#[test]
fn without_its_key_what_was_found_is_noise() {
    let (dir, disk) = disk();
    let keys = KeyStore::new(&disk);
    keys.create(&[(name("a"), found("CUST-1"))]).unwrap();
    let sealed = dir.path().join(name("a").sealed_file());
    let copy = fs::read(&sealed).unwrap();
    keys.destroy(&[name("a"), name("b")]).unwrap();
    assert_eq!(keys.load(&name("a")).unwrap(), None);
    assert_eq!(keys.list().unwrap(), []);
    // A backup of the sealed file, beside a key that was made later.
    keys.create(&[(name("a"), nothing())]).unwrap();
    fs::write(&sealed, &copy).unwrap();
    let error = keys.load(&name("a")).unwrap_err();
    assert!(error.to_string().ends_with("it was not sealed with its key"), "{error}");
}

#[test]
fn any_changed_byte_of_a_sealed_file_is_found() {
    let key = [9; 32];
    let plain = b"who was found: more than one block of the keystream, so that both count".to_vec();
    let sealed = seal::seal(&key, b"name", &plain).unwrap();
    assert_eq!(seal::open(&key, b"name", &sealed).unwrap(), plain);
    assert!(!sealed.windows(3).any(|window| window == b"who"));
    assert_ne!(seal::seal(&key, b"name", &plain).unwrap(), sealed);
    for i in 0..sealed.len() {
        let mut bad = sealed.clone();
        bad[i] ^= 1;
        assert_eq!(seal::open(&key, b"name", &bad), None, "byte {i}");
        assert_eq!(seal::open(&key, b"name", &sealed[..i]), None, "first {i} bytes");
    }
    assert_eq!(seal::open(&[8; 32], b"name", &sealed), None);
    assert_eq!(seal::open(&key, b"other", &sealed), None);
    assert_eq!(seal::open(&key, b"name", &seal::seal(&key, b"name", b"").unwrap()).unwrap(), b"");
}

#[test]
fn damaged_key_files_are_errors_that_name_the_file() {
    let (dir, disk) = disk();
    let keys = KeyStore::new(&disk);
    keys.create(&[(name("a"), found("x")), (name("b"), nothing())]).unwrap();
    let path = |name: &TaskKeyName| dir.path().join(name.key_file());
    fs::copy(path(&name("b")), path(&name("a"))).unwrap();
    let error = |keys: &KeyStore<'_>| keys.load(&name("a")).unwrap_err().to_string();
    assert!(error(&keys).contains(".found is damaged: it was not sealed with its key"));
    fs::write(path(&name("a")), "amparo-task-key-v1 00 00\n").unwrap();
    assert!(error(&keys).contains(".key is damaged: its key is not 64 hex digits"));
    keys.deployment_or_make(true).unwrap();
    fs::copy(dir.path().join("keys/deployment"), path(&name("a"))).unwrap();
    assert!(error(&keys).contains("it is another kind of key"));
    fs::remove_file(dir.path().join(name("b").sealed_file())).unwrap();
    let error = keys.load(&name("b")).unwrap_err().to_string();
    assert!(error.ends_with("it is missing beside its key"), "{error}");
}

#[test]
fn keys_of_finished_tasks_are_swept() {
    let (dir, disk) = disk();
    let keys = KeyStore::new(&disk);
    keys.create(&[(name("a"), nothing()), (name("b"), nothing()), (name("c"), nothing())]).unwrap();
    // A crash between the two files of `c`.
    fs::remove_file(dir.path().join(name("c").key_file())).unwrap();
    assert_eq!(keys.list().unwrap().len(), 3);
    assert_eq!(keys.destroy_all_but(&BTreeSet::from([name("a")])).unwrap(), 2);
    assert_eq!(keys.list().unwrap(), [name("a")]);
    assert!(keys.load(&name("a")).unwrap().is_some());
}

#[test]
fn a_crash_at_any_write_leaves_a_whole_key_or_none() {
    for fault in Fault::ALL {
        for at in 0.. {
            let (_dir, disk) = disk();
            let faulty = FaultyStorage::new(disk.clone(), fault, at);
            let keys = KeyStore::new(&faulty);
            let tasks = [(name("a"), found("1")), (name("b"), found("2"))];
            let made = keys.create(&tasks).is_ok();
            let destroyed = made && keys.destroy(&[name("a"), name("b")]).is_ok();
            let keys = KeyStore::new(&disk);
            for (name, remembered) in &tasks {
                // A single file that a crash tears is what LocalDisk rules out; here there are two.
                let key = keys.load(name).unwrap_or_else(|e| panic!("{fault:?} at {at}: {e}"));
                assert!(key.is_none() || !destroyed);
                assert!(key.is_none_or(|key| key.found == remembered.found));
            }
            keys.destroy_all_but(&BTreeSet::new()).unwrap();
            keys.create(&tasks).unwrap();
            if !faulty.struck() {
                break;
            }
        }
    }
}

#[test]
fn names_tell_tasks_apart() {
    let request = |text: &str| Name::new(text).unwrap();
    let id = |request: Name, key: &str, action| TaskId {
        request,
        key: Some(key.to_owned()),
        action: Some(action),
    };
    let names = [
        TaskKeyName::of(&id(request("a"), "b", Action::Delete), "f"),
        TaskKeyName::of(&id(request("a"), "b", Action::Delete), "g"),
        TaskKeyName::of(&id(request("a"), "b", Action::Access), "f"),
        TaskKeyName::of(&id(request("a"), "bf", Action::Delete), ""),
        TaskKeyName::of(&id(request("ab"), "", Action::Delete), "f"),
    ];
    assert_eq!(BTreeSet::from(names).len(), 5);
}
