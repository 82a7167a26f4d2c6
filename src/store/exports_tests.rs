#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;

fn request(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

struct Fixture {
    dir: tempfile::TempDir,
    exports: Exports,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let exports = Exports::open("out/exports/", dir.path()).unwrap();
        Self { dir, exports }
    }

    fn publish(&self, key: &str, text: &str, replace: bool) -> Result<String, StoreError> {
        let path = self.dir.path().join("package");
        fs::write(&path, text).unwrap();
        let sha256 = sha256(text.as_bytes());
        let package =
            FinishedPackage { path, request: request("acme"), key: key.into(), sha256, replace };
        Ok(self.exports.publish(&[package])?.remove(0).location)
    }
}

#[test]
fn names_are_what_the_contract_says() {
    let name = |key: &str| package_name(&request("acme"), key);
    assert_eq!(name("GDPR-1236"), "acme/GDPR-1236.zip");
    assert_eq!(name("a b/c"), "acme/a%20b%2Fc.zip");
    assert_eq!(name("50% ~ü"), "acme/50%25%20%7E%C3%BC.zip");
    assert_eq!(name("."), "acme/..zip");
    assert_eq!(name(".."), "acme/...zip");
    assert_eq!(name("../../etc/passwd"), "acme/..%2F..%2Fetc%2Fpasswd.zip");
    assert_eq!(name("a\0b\n"), "acme/a%00b%0A.zip");
    assert_eq!(name(&"x".repeat(200)), format!("acme/{}.zip", "x".repeat(200)));
    let long = name(&"x".repeat(201));
    let digest = sha256("x".repeat(201).as_bytes());
    assert_eq!(long, format!("acme/{}%2D{digest}.zip", "x".repeat(129)));
    assert_eq!(long.len(), "acme/".len() + LONGEST);
    // A cut never splits an escape.
    let cut = name(&"ü".repeat(100));
    assert!(cut.starts_with(&format!("acme/{}%2D", "%C3%BC".repeat(21) + "%C3")), "{cut}");
    let odd = Name::from_file_stem(&"r".repeat(240));
    assert!(package_name(&odd, "k").split('/').next().unwrap().len() <= LONGEST);
}

#[test]
fn a_key_that_looks_like_a_cut_one_does_not_share_its_path() {
    let long = "x".repeat(256);
    let cut = path_part(&long);
    assert_ne!(path_part(&cut), cut);
}

proptest! {
    #[test]
    fn distinct_keys_have_distinct_safe_paths(
        keys in proptest::collection::hash_set("(?s).{0,20}|[%.~a-c/]{0,4}|x{198,203}|ü{30,80}", 2..12)
    ) {
        let mut seen = BTreeMap::new();
        for key in keys {
            let path = package_name(&request("acme"), &key);
            let file = path.strip_prefix("acme/").unwrap().to_owned();
            prop_assert!(file.len() <= LONGEST + 4);
            prop_assert!(file.ends_with(".zip") && file.len() > 4);
            prop_assert!(file.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-%~".contains(&b)));
            if let Some(other) = seen.insert(path, key.clone()) {
                prop_assert!(false, "{key:?} and {other:?} share {file}");
            }
        }
    }

    #[test]
    fn every_location_leads_back_to_its_file(key in "(?s).{1,64}") {
        let exports = Exports::open("out", Path::new("/base")).unwrap();
        let location = exports.location(&request("acme"), &key);
        let (root, folder, name) = exports.resolve(&location).unwrap();
        prop_assert_eq!(root, Path::new("/base/out"));
        prop_assert_eq!(folder, "acme");
        prop_assert_eq!(name, package_name(&request("acme"), &key));
    }
}

#[test]
fn packages_are_private_and_replaced_only_on_purpose() {
    let fixture = Fixture::new();
    let location = fixture.publish("K 1", "one", false).unwrap();
    assert_eq!(location, "out/exports/acme/K%201.zip");
    let path = fixture.dir.path().join(&location);
    assert_eq!(mode(&path), 0o600);
    for folder in path.ancestors().skip(1).take(3) {
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
    }
    let again = fixture.publish("K 1", "two", false).unwrap_err();
    assert!(matches!(again, StoreError::Exists { .. }));
    assert_eq!(fs::read(&path).unwrap(), b"one");
    fixture.publish("K 1", "two", true).unwrap();
    let content = fixture.exports.content(&location).unwrap().unwrap();
    assert_eq!((content.bytes, content.sha256), (3, sha256(b"two")));
}

#[test]
fn the_digest_that_is_reported_is_that_of_the_file() {
    let fixture = Fixture::new();
    let path = fixture.dir.path().join("p");
    fs::write(&path, "package").unwrap();
    let package = FinishedPackage {
        path,
        request: request("acme"),
        key: "k".into(),
        sha256: sha256(b"package"),
        replace: false,
    };
    let published = fixture.exports.publish(&[package]).unwrap().remove(0);
    assert_eq!(published.content, Content { sha256: sha256(b"package"), bytes: 7 });
    assert_eq!(fixture.exports.content(&published.location).unwrap(), Some(published.content));
}

#[test]
fn an_opened_package_is_read_from_its_beginning_whatever_takes_its_place() {
    let fixture = Fixture::new();
    let location = fixture.publish("k", "first", true).unwrap();
    let (file, content) = fixture.exports.open_package(&location).unwrap().unwrap();
    fixture.publish("k", "second", true).unwrap();
    assert_eq!(std::io::read_to_string(file).unwrap(), "first");
    assert_eq!((content.sha256, content.bytes), (sha256(b"first"), 5));
    fixture.exports.delete(&location).unwrap();
    assert!(fixture.exports.open_package(&location).unwrap().is_none());
    assert!(fixture.exports.open_package("out/exports/../k.zip").is_err());
    // Neither what a link leads to, nor a folder.
    let (root, folder, name) = fixture.exports.resolve(&location).unwrap();
    fs::create_dir_all(root.join(&folder)).unwrap();
    fs::write(root.join("elsewhere"), "x").unwrap();
    std::os::unix::fs::symlink(root.join("elsewhere"), root.join(&name)).unwrap();
    assert!(fixture.exports.open_package(&location).is_err());
    fs::remove_file(root.join(&name)).unwrap();
    fs::create_dir(root.join(&name)).unwrap();
    assert!(fixture.exports.open_package(&location).is_err());
}

#[test]
fn expired_packages_go_with_their_empty_folder() {
    let fixture = Fixture::new();
    let (one, two) =
        (fixture.publish("a", "1", false).unwrap(), fixture.publish("b", "2", false).unwrap());
    let folder = fixture.dir.path().join("out/exports/acme");
    let staged = folder.join(".amparo-0123456789abcdef0123456789abcdef.tmp");
    fs::write(&staged, "half").unwrap();
    assert!(fixture.exports.delete(&one).unwrap());
    assert!(folder.exists() && !staged.exists());
    assert!(!fixture.exports.delete(&one).unwrap());
    assert!(fixture.exports.delete(&two).unwrap());
    assert!(!folder.exists() && folder.parent().unwrap().exists());
    assert_eq!(fixture.exports.content(&two).unwrap(), None);
}

#[test]
fn packages_are_found_where_exports_used_to_be() {
    let fixture = Fixture::new();
    let location = fixture.publish("a", "1", false).unwrap();
    let moved = Exports::open("elsewhere", fixture.dir.path()).unwrap();
    assert_ne!(moved.location(&request("acme"), "a"), location);
    assert!(moved.content(&location).unwrap().is_some());
    assert!(moved.delete(&location).unwrap());
    let url = format!("file://{}/urls", fixture.dir.path().display());
    let exports = Exports::open(&url, Path::new("/nowhere")).unwrap();
    let path = fixture.dir.path().join("p");
    fs::write(&path, "x").unwrap();
    let package = FinishedPackage {
        path,
        request: request("r"),
        key: "k".into(),
        sha256: sha256(b"x"),
        replace: false,
    };
    let published = exports.publish(&[package]).unwrap().remove(0);
    assert_eq!(published.location, format!("{url}/r/k.zip"));
    assert!(moved.delete(&published.location).unwrap());
}

#[test]
fn locations_that_are_none_are_refused() {
    let fixture = Fixture::new();
    for bad in ["", "x", "a/b.zip", "e/../k.zip", "e/r/..", "e/r/k.txt", "e//k.zip", "e/r s/k.zip"]
    {
        let error = fixture.exports.delete(bad).unwrap_err();
        assert!(matches!(error, StoreError::PackageLocation { .. }), "{bad}");
    }
    assert!(matches!(Exports::open("s3://b/x", Path::new("/")), Err(StoreError::Scheme { .. })));
}

#[test]
fn half_copied_packages_are_swept() {
    let fixture = Fixture::new();
    let location = fixture.publish(".amparo-x", "kept", false).unwrap();
    let folder = fixture.dir.path().join("out/exports/acme");
    fs::write(folder.join(".amparo-0123456789abcdef0123456789abcdef.tmp"), "half").unwrap();
    assert_eq!(fixture.exports.sweep([location.as_str()]).unwrap(), 1);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn encrypted_packages_lie_nowhere_in_plain() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    let recipient = crate::store::create_key(&key, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let exports = Exports::open("exports", dir.path()).unwrap().encrypting(&[recipient]);
    assert_eq!(exports.location(&request("acme"), "K 1"), "exports/acme/K%201.zip.age");
    let path = dir.path().join("package");
    let package = |text: &str| {
        fs::write(&path, text).unwrap();
        FinishedPackage {
            path: path.clone(),
            request: request("acme"),
            key: "K 1".into(),
            sha256: sha256(b"the plain text"),
            replace: true,
        }
    };
    let published = exports.publish(&[package("the plain text")]).unwrap().remove(0);
    assert_eq!(published.location, "exports/acme/K%201.zip.age");
    assert_eq!(exports.content(&published.location).unwrap().unwrap(), published.content);
    let file = dir.path().join(&published.location);
    assert_eq!(mode(&file), 0o600);
    assert!(!fs::read(&file).unwrap().windows(5).any(|bytes| bytes == b"plain"));
    let keys = crate::store::Identities::read(&key).unwrap();
    crate::store::open_file(&file, &dir.path().join("opened"), &keys).unwrap();
    assert_eq!(fs::read(dir.path().join("opened")).unwrap(), b"the plain text");
    // What is not what was written is not published, nor left in plain.
    let error = exports.publish(&[package("another text")]).unwrap_err();
    assert!(matches!(error, StoreError::PackageChanged { .. }));
    assert!(!path.exists());
    assert_eq!(exports.content(&published.location).unwrap().unwrap(), published.content);
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    let plain = Exports::open("exports", dir.path()).unwrap();
    assert!(matches!(plain.publish(&[package("x")]), Err(StoreError::PackageChanged { .. })));
    assert!(exports.delete(&published.location).unwrap());
}
