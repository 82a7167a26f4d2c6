#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read;
use std::os::unix::fs::MetadataExt;

use super::*;

fn disk() -> (tempfile::TempDir, LocalDisk) {
    let dir = tempfile::tempdir().unwrap();
    let disk = LocalDisk::new(dir.path().join("deep/root"));
    (dir, disk)
}

fn one<'a>(name: &'a str, bytes: &'a [u8]) -> [NewFile<'a>; 1] {
    [NewFile { name, bytes }]
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Every file below, staged ones included.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(everything(&path)) } else { all.push(path) }
    }
    all
}

#[test]
fn looking_makes_nothing() {
    let (dir, disk) = disk();
    assert_eq!(disk.read("a/b").unwrap(), None);
    assert_eq!(disk.content("a/b").unwrap(), None);
    assert_eq!(disk.list("a").unwrap(), Vec::<String>::new());
    assert_eq!(disk.sweep("").unwrap(), 0);
    assert!(!disk.remove("a/b").unwrap());
    disk.destroy(&["a/b".to_owned()]).unwrap();
    disk.prune("a").unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn files_and_folders_are_private() {
    let (_dir, disk) = disk();
    disk.create(&one("keys/x", b"secret")).unwrap();
    disk.replace("keys/x", Some(b"secret"), b"other").unwrap();
    assert_eq!(mode(&disk.root().join("keys/x")), 0o600);
    for folder in [disk.root().join("keys"), disk.root().into(), disk.root().join("..")] {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    assert_eq!(disk.read("keys/x").unwrap().unwrap(), b"other");
    assert_eq!(everything(disk.root()).len(), 1);
}

#[test]
fn create_never_overwrites() {
    let (_dir, disk) = disk();
    disk.create(&one("x", b"first")).unwrap();
    let error = disk.create(&one("x", b"second")).unwrap_err();
    assert!(matches!(error, StoreError::Exists { .. }));
    assert_eq!(disk.read("x").unwrap().unwrap(), b"first");
    assert_eq!(everything(disk.root()).len(), 1);
}

#[test]
fn of_many_writers_of_one_name_exactly_one_wins() {
    let (_dir, disk) = disk();
    let wins: usize = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8_u8)
            .map(|n| {
                let disk = &disk;
                scope.spawn(move || usize::from(disk.create(&one("x", &[n; 4096])).is_ok()))
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(wins, 1);
    let bytes = disk.read("x").unwrap().unwrap();
    assert_eq!(bytes.len(), 4096);
    assert!(bytes.iter().all(|b| *b == bytes[0]));
    assert_eq!(everything(disk.root()).len(), 1);
}

#[test]
fn many_files_are_made_at_once_up_to_the_first_that_exists() {
    let (_dir, disk) = disk();
    let names: Vec<String> = (0..40).map(|n| format!("k/{n:02}")).collect();
    let files: Vec<_> = names.iter().map(|name| NewFile { name, bytes: name.as_bytes() }).collect();
    disk.create(&one("k/30", b"mine")).unwrap();
    assert!(matches!(disk.create(&files), Err(StoreError::Exists { .. })));
    let there = disk.list("k").unwrap().iter().map(|name| format!("k/{name}")).collect::<Vec<_>>();
    assert_eq!(there, names[..31]);
    assert_eq!(disk.read("k/30").unwrap().unwrap(), b"mine");
    assert_eq!(everything(disk.root()).len(), 31);
    disk.destroy(&names).unwrap();
    assert_eq!(everything(disk.root()).len(), 0);
}

#[test]
fn replace_wants_to_know_what_it_replaces() {
    let (_dir, disk) = disk();
    let changed = |result| assert!(matches!(result, Err(StoreError::Changed { .. })));
    changed(disk.replace("head", Some(b"1"), b"2"));
    disk.replace("head", None, b"1").unwrap();
    changed(disk.replace("head", None, b"2"));
    changed(disk.replace("head", Some(b"0"), b"2"));
    disk.replace("head", Some(b"1"), b"2").unwrap();
    assert_eq!(disk.read("head").unwrap().unwrap(), b"2");
}

#[test]
fn rename_wants_a_free_name() {
    let (_dir, disk) = disk();
    disk.create(&one("a", b"a")).unwrap();
    disk.create(&one("b", b"b")).unwrap();
    assert!(matches!(disk.rename("a", "b"), Err(StoreError::Exists { .. })));
    disk.rename("a", "sub/c").unwrap();
    assert_eq!(disk.read("a").unwrap(), None);
    assert_eq!(disk.read("sub/c").unwrap().unwrap(), b"a");
}

#[test]
fn a_write_that_fails_leaves_nothing() {
    let (_dir, disk) = disk();
    let target = disk.root().join("sub/x");
    let full = Staged::beside(&target, |file| {
        file.write_all(b"half")?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    });
    let error = full.map(|_| ()).unwrap_err();
    assert!(error.to_string().ends_with("/sub/x"), "{error}");
    assert_eq!(everything(disk.root()), Vec::<PathBuf>::new());
}

#[test]
fn staged_files_are_neither_listed_nor_left() {
    let (_dir, disk) = disk();
    disk.create(&one("x", b"x")).unwrap();
    let stale = disk.root().join(".amparo-0123456789abcdef0123456789abcdef.tmp");
    let others = [".amparo-x.zip", ".amparo-0123.tmp", ".hidden"];
    fs::write(&stale, "torn").unwrap();
    others.iter().for_each(|name| fs::write(disk.root().join(name), "kept").unwrap());
    assert!(!disk.list("").unwrap().iter().any(|name| name.contains("cdef")));
    assert_eq!(disk.sweep("").unwrap(), 1);
    assert!(!stale.exists());
    assert_eq!(everything(disk.root()).len(), 4);
}

#[test]
fn published_files_move_in_and_replace_only_on_purpose() {
    let (dir, disk) = disk();
    let scratch = dir.path().join("scratch.zip");
    let publish = |bytes: &[u8], replace| {
        fs::write(&scratch, bytes).unwrap();
        let name = "request/key.zip".to_owned();
        disk.publish(&[StagedFile { path: scratch.clone(), name, replace }])
    };
    publish(b"one", false).unwrap();
    assert!(!scratch.exists());
    assert!(matches!(publish(b"two", false), Err(StoreError::Exists { .. })));
    assert_eq!(disk.read("request/key.zip").unwrap().unwrap(), b"one");
    publish(b"two", true).unwrap();
    let content = disk.content("request/key.zip").unwrap().unwrap();
    assert_eq!((content.bytes, content.sha256), (3, crate::store::digest::sha256(b"two")));
    assert_eq!(mode(&disk.root().join("request/key.zip")), 0o600);
    assert_eq!(mode(&disk.root().join("request")), 0o700);
}

#[test]
fn publishing_works_across_file_systems() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    let (dir, disk) = disk();
    if fs::metadata(other.path()).unwrap().dev() == fs::metadata(dir.path()).unwrap().dev() {
        return;
    }
    let path = other.path().join("package");
    let staged = |replace| StagedFile { path: path.clone(), name: "r/k.zip".into(), replace };
    fs::write(&path, "one").unwrap();
    disk.publish(&[staged(false)]).unwrap();
    assert!(!path.exists());
    fs::write(&path, "two").unwrap();
    assert!(matches!(disk.publish(&[staged(false)]), Err(StoreError::Exists { .. })));
    assert!(path.exists());
    disk.publish(&[staged(true)]).unwrap();
    assert_eq!(disk.read("r/k.zip").unwrap().unwrap(), b"two");
    assert_eq!(mode(&disk.root().join("r/k.zip")), 0o600);
    assert_eq!(everything(disk.root()).len(), 1);
}

#[test]
fn destroyed_bytes_are_overwritten_first() {
    let (dir, disk) = disk();
    disk.create(&one("k", &[7; 5000])).unwrap();
    // A second name for the same bytes: it shows what destroying does to them.
    let witness = dir.path().join("witness");
    fs::hard_link(disk.root().join("k"), &witness).unwrap();
    disk.destroy(&["k".to_owned()]).unwrap();
    assert_eq!(disk.read("k").unwrap(), None);
    let mut bytes = Vec::new();
    File::open(witness).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, [0; 5000]);
}

#[test]
fn destroying_does_not_follow_links() {
    let (dir, disk) = disk();
    let outside = dir.path().join("outside");
    fs::write(&outside, "kept").unwrap();
    fs::create_dir_all(disk.root()).unwrap();
    std::os::unix::fs::symlink(&outside, disk.root().join("k")).unwrap();
    assert!(disk.destroy(&["k".to_owned()]).is_err());
    assert_eq!(fs::read(&outside).unwrap(), b"kept");
}

#[test]
fn folders_go_only_when_they_are_empty() {
    let (_dir, disk) = disk();
    disk.create(&one("r/a", b"a")).unwrap();
    disk.prune("r").unwrap();
    assert!(disk.remove("r/a").unwrap());
    assert!(disk.root().join("r").exists());
    disk.prune("r").unwrap();
    assert!(!disk.root().join("r").exists());
}

#[test]
fn names_cannot_leave_the_root() {
    let (_dir, disk) = disk();
    for name in ["", "/etc/passwd", "..", "a/../b", "./a", "a//b", "a/", "a\0b", "."] {
        assert!(matches!(disk.read(name), Err(StoreError::Name { .. })), "{name:?}");
        assert!(matches!(disk.create(&one(name, b"x")), Err(StoreError::Name { .. })), "{name:?}");
    }
}
