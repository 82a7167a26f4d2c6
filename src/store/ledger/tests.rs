#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::model::Name;
use crate::store::LocalDisk;
use crate::store::digest::sha256;
use crate::store::testing::{Fault, FaultyStorage, quick_dir};

fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn seen(request: &str) -> Vec<Record> {
    let request = Name::new(request).unwrap();
    vec![Record::RequestSeen { request, digest: "d".to_owned(), at: time(0) }]
}

/// A ledger of `commits` commits, each of which saw the request `r<number>`.
struct Written {
    dir: tempfile::TempDir,
    disk: LocalDisk,
    ledger: Ledger,
}

impl Written {
    fn new(commits: i64) -> Self {
        let dir = quick_dir();
        let disk = LocalDisk::new(dir.path());
        let mut ledger = Ledger::default();
        for n in 1..=commits {
            ledger.append(&disk, seen(&format!("r{n}")), time(n)).unwrap();
        }
        Self { dir, disk, ledger }
    }

    fn entry(&self, seq: u64) -> PathBuf {
        self.dir.path().join(format!("ledger/{seq:020}.json"))
    }

    fn head(&self) -> PathBuf {
        self.dir.path().join("head")
    }

    /// `head` as it was when that commit was the newest.
    fn roll_head_back(&self, seq: u64) {
        let digest = sha256(&fs::read(self.entry(seq)).unwrap());
        fs::write(self.head(), format!("{seq}:{digest}\n")).unwrap();
    }

    /// Every way to open it fails, naming `entry`, and changes nothing; `verify` says the same.
    fn assert_damaged(&self, entry: &Path, what: &str) {
        let before = snapshot(self.dir.path());
        let text = format!("{}: {what}", entry.display());
        for error in
            [Ledger::load(&self.disk).unwrap_err(), Ledger::recover(&self.disk).unwrap_err()]
        {
            assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
            assert!(error.to_string().contains(&text), "{error}, not {text}");
        }
        assert_eq!(snapshot(self.dir.path()), before);
        let report = verify_ledger(&self.disk, None).unwrap();
        assert!(!report.intact);
        assert!(report.problems.iter().any(|problem| problem.contains(&text)), "{report:?}");
    }
}

fn snapshot(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = [root.to_owned(), root.join("ledger")]
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn no_ledger_is_an_empty_one_and_stays_unwritten() {
    let dir = quick_dir();
    let disk = LocalDisk::new(dir.path().join("state"));
    for (ledger, warnings) in [Ledger::load(&disk).unwrap(), Ledger::recover(&disk).unwrap()] {
        assert_eq!(ledger, Ledger::default());
        assert!(warnings.is_empty());
    }
    let report = verify_ledger(&disk, None).unwrap();
    assert_eq!((report.entries, report.head, report.intact), (0, None, true));
    Ledger::default().append(&disk, Vec::new(), time(0)).unwrap();
    assert!(!dir.path().join("state").exists());
}

#[test]
fn commits_are_files_that_chain() {
    let written = Written::new(2);
    let first = fs::read(written.entry(1)).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&first).unwrap();
    let keys: Vec<_> = value.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["seq", "time", "toolVersion", "prev", "records"]);
    assert_eq!(value["seq"], 1);
    assert_eq!(value["time"], "2027-01-15T08:00:01Z");
    assert_eq!(value["toolVersion"], env!("CARGO_PKG_VERSION"));
    assert_eq!(value["prev"], "0".repeat(64));
    assert_eq!(value["records"][0]["event"], "RequestSeen");
    let second = fs::read(written.entry(2)).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&second).unwrap();
    assert_eq!(value["prev"], sha256(&first));
    let head = format!("2:{}", sha256(&second));
    assert_eq!(fs::read_to_string(written.head()).unwrap(), format!("{head}\n"));
    assert_eq!(written.ledger.head().unwrap().to_string(), head);
}

#[test]
fn what_was_appended_is_read_again() {
    let written = Written::new(3);
    let (ledger, warnings) = Ledger::load(&written.disk).unwrap();
    assert_eq!(ledger, written.ledger);
    assert!(warnings.is_empty());
    assert_eq!(ledger.view().seq, 3);
    assert_eq!(ledger.view().requests.len(), 3);
    let report = verify_ledger(&written.disk, None).unwrap();
    assert!(report.intact);
    assert_eq!((report.entries, report.head.as_ref()), (3, ledger.head()));
}

#[test]
fn an_edited_entry_is_found_wherever_it_stands() {
    for seq in 1..=4 {
        let written = Written::new(4);
        let path = written.entry(seq);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&format!("\"r{seq}\""), "\"other\"")).unwrap();
        let what = match seq {
            4 => "it is not the commit that head names",
            _ => "it is not the commit that the next one follows",
        };
        written.assert_damaged(&path, what);
    }
}

#[test]
fn an_edited_prev_is_found_in_the_entry_that_was_edited() {
    let written = Written::new(3);
    written.roll_head_back(2);
    let path = written.entry(3);
    let text = fs::read_to_string(&path).unwrap();
    let prev = sha256(&fs::read(written.entry(2)).unwrap());
    fs::write(&path, text.replace(&prev, &"a".repeat(64))).unwrap();
    written.assert_damaged(&path, "it does not follow the commit before it");
    let written = Written::new(1);
    let path = written.entry(1);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&"0".repeat(64), &"a".repeat(64))).unwrap();
    fs::remove_file(written.head()).unwrap();
    written.assert_damaged(&path, "it does not begin the chain");
}

#[test]
fn a_removed_entry_is_found_wherever_it_stood() {
    for seq in 1..=4 {
        let written = Written::new(4);
        fs::remove_file(written.entry(seq)).unwrap();
        written.assert_damaged(&written.entry(seq), "it is missing");
    }
    // All of them, and the folder.
    let written = Written::new(2);
    fs::remove_dir_all(written.dir.path().join("ledger")).unwrap();
    let error = Ledger::recover(&written.disk).unwrap_err();
    assert!(error.to_string().contains("00001.json: it is missing, and head names it"));
}

#[test]
fn reordered_and_copied_entries_are_found() {
    let written = Written::new(4);
    let (second, third) =
        (fs::read(written.entry(2)).unwrap(), fs::read(written.entry(3)).unwrap());
    fs::write(written.entry(2), third).unwrap();
    fs::write(written.entry(3), second).unwrap();
    written.assert_damaged(&written.entry(2), "its number is not that of its file");
    let written = Written::new(2);
    fs::copy(written.entry(2), written.entry(3)).unwrap();
    written.assert_damaged(&written.entry(3), "its number is not that of its file");
}

#[test]
fn a_head_that_does_not_fit_is_found() {
    let written = Written::new(3);
    for (head, what) in [
        ("", "it is not written N:SHA256"),
        ("3", "it is not written N:SHA256"),
        ("3:abc\n", "it is not written N:SHA256"),
        (&format!("0:{}\n", "0".repeat(64)), "it is not written N:SHA256"),
    ] {
        fs::write(written.head(), head).unwrap();
        written.assert_damaged(&written.head(), what);
    }
    written.roll_head_back(1);
    written.assert_damaged(&written.head(), "it is more than one commit behind the newest");
    fs::write(written.head(), format!("3:{}\n", "a".repeat(64))).unwrap();
    written.assert_damaged(&written.entry(3), "it is not the commit that head names");
    fs::remove_file(written.head()).unwrap();
    written.assert_damaged(&written.head(), "it is missing beside several commits");
}

#[test]
fn a_crash_between_commit_and_head_is_healed() {
    let written = Written::new(3);
    let head = fs::read(written.head()).unwrap();
    written.roll_head_back(2);
    let (ledger, warnings) = Ledger::load(&written.disk).unwrap();
    assert_eq!((ledger, warnings), (written.ledger.clone(), vec![]));
    assert!(verify_ledger(&written.disk, None).unwrap().intact);
    Ledger::recover(&written.disk).unwrap();
    assert_eq!(fs::read(written.head()).unwrap(), head);
    // The very first commit has no head to be behind.
    let written = Written::new(1);
    let head = fs::read(written.head()).unwrap();
    fs::remove_file(written.head()).unwrap();
    Ledger::recover(&written.disk).unwrap();
    assert_eq!(fs::read(written.head()).unwrap(), head);
}

#[test]
fn a_torn_newest_commit_is_set_aside_and_nothing_else_is_lost() {
    let length = fs::read(Written::new(3).entry(3)).unwrap().len();
    for kept in (0..length.saturating_sub(2)).step_by(7) {
        let written = Written::new(3);
        let bytes = fs::read(written.entry(3)).unwrap();
        fs::write(written.entry(3), &bytes[..kept]).unwrap();
        written.roll_head_back(2);
        let before = snapshot(written.dir.path());
        let (ledger, warnings) = Ledger::load(&written.disk).unwrap();
        assert_eq!(ledger.view().seq, 2);
        assert!(matches!(&warnings[..], [LedgerWarning::Torn { set_aside: None, .. }]));
        let report = verify_ledger(&written.disk, None).unwrap();
        assert!(!report.intact && report.problems[0].contains("torn by a crash"));
        assert_eq!(snapshot(written.dir.path()), before);
        let (mut ledger, warnings) = Ledger::recover(&written.disk).unwrap();
        assert!(warnings[0].to_string().ends_with("00003.json.torn"), "{}", warnings[0]);
        assert_eq!(fs::read(written.entry(3).with_extension("json.torn")).unwrap(), bytes[..kept]);
        ledger.append(&written.disk, seen("again"), time(9)).unwrap();
        let report = verify_ledger(&written.disk, None).unwrap();
        assert_eq!((report.intact, report.entries), (true, 3));
    }
}

#[test]
fn the_same_number_can_be_torn_more_than_once() {
    let written = Written::new(1);
    for aside in ["json.torn", "json.torn.1", "json.torn.2"] {
        fs::write(written.entry(2), "{").unwrap();
        Ledger::recover(&written.disk).unwrap();
        assert!(written.entry(2).with_extension(aside).exists(), "{aside}");
    }
    // Also the first commit of all.
    let written = Written::new(0);
    fs::create_dir(written.dir.path().join("ledger")).unwrap();
    fs::write(written.entry(1), "").unwrap();
    let (ledger, warnings) = Ledger::recover(&written.disk).unwrap();
    assert_eq!((ledger, warnings.len()), (Ledger::default(), 1));
}

#[test]
fn a_truncated_commit_that_head_knows_is_damage() {
    let written = Written::new(3);
    for seq in [2, 3] {
        let bytes = fs::read(written.entry(seq)).unwrap();
        fs::write(written.entry(seq), &bytes[..bytes.len() / 2]).unwrap();
        written.assert_damaged(&written.entry(seq), "it is not a commit");
        fs::write(written.entry(seq), bytes).unwrap();
    }
    // Torn, but not the newest.
    written.roll_head_back(2);
    fs::write(written.entry(4), "{").unwrap();
    written.assert_damaged(&written.head(), "it is more than one commit behind the newest");
}

#[test]
fn records_of_later_versions_are_refused_and_never_set_aside() {
    let original = "{\"event\":\"RequestSeen\",\"request\":\"r2\"";
    for later in [
        "{\"event\":\"RequestMoved\",\"request\":\"r2\"",
        "{\"event\":\"RequestSeen\",\"request\":\"r2\",\"urgency\":1",
    ] {
        let written = Written::new(2);
        written.roll_head_back(1);
        let text = fs::read_to_string(written.entry(2)).unwrap();
        assert!(text.contains(original), "{text}");
        let text = text.replace(original, later).replace(env!("CARGO_PKG_VERSION"), "9.0.0");
        fs::write(written.entry(2), text).unwrap();
        for error in
            [Ledger::load(&written.disk).unwrap_err(), Ledger::recover(&written.disk).unwrap_err()]
        {
            assert!(matches!(&error, StoreError::Newer { version, .. } if version == "9.0.0"));
            let text = error.to_string();
            assert!(text.contains("00002.json holds a record that this amparo"), "{text}");
            assert!(text.contains("a newer one (9.0.0) wrote it, or it was edited"), "{text}");
        }
        assert!(written.entry(2).exists());
    }
}

#[test]
fn a_record_that_no_version_writes_is_damage() {
    let written = Written::new(2);
    written.roll_head_back(1);
    let text = fs::read_to_string(written.entry(2)).unwrap();
    fs::write(written.entry(2), text.replace("\"r2\"", "17")).unwrap();
    written.assert_damaged(&written.entry(2), "its record 1 cannot be read");
}

#[test]
fn other_files_in_the_folder_do_not_matter() {
    let written = Written::new(2);
    for name in [".amparo-0123456789abcdef0123456789abcdef.tmp", "README", "2.json", ".DS_Store"] {
        fs::write(written.dir.path().join("ledger").join(name), "x").unwrap();
    }
    assert_eq!(Ledger::recover(&written.disk).unwrap().0, written.ledger);
    let zero = written.entry(0);
    fs::write(&zero, "x").unwrap();
    written.assert_damaged(&zero, "no commit has this number");
}

#[test]
fn two_writers_cannot_win_one_number() {
    let written = Written::new(1);
    let mut first = Ledger::load(&written.disk).unwrap().0;
    let mut second = first.clone();
    first.append(&written.disk, seen("first"), time(5)).unwrap();
    let error = second.append(&written.disk, seen("second"), time(5)).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { seq: 2 }));
    second = Ledger::recover(&written.disk).unwrap().0;
    assert_eq!(second, first);
    second.append(&written.disk, seen("second"), time(6)).unwrap();
    assert_eq!(second.view().requests.len(), 3);
    assert!(verify_ledger(&written.disk, None).unwrap().intact);
}

#[test]
fn a_head_kept_elsewhere_convicts_a_rewritten_ledger() {
    let written = Written::new(3);
    let kept = written.ledger.head().unwrap().clone();
    let intact = |head: &Head| verify_ledger(&written.disk, Some(head)).unwrap().intact;
    assert!(intact(&kept));
    // It may have grown since.
    let mut ledger = written.ledger.clone();
    ledger.append(&written.disk, seen("more"), time(9)).unwrap();
    assert!(intact(&kept));
    assert!(!intact(&Head { seq: 3, sha256: "a".repeat(64) }));
    assert!(!intact(&Head { seq: 9, ..kept.clone() }));
    // Written anew from the second commit on, consistent in itself.
    fs::remove_file(written.entry(3)).unwrap();
    fs::remove_file(written.entry(4)).unwrap();
    written.roll_head_back(2);
    let (mut ledger, _) = Ledger::load(&written.disk).unwrap();
    ledger.append(&written.disk, seen("forged"), time(3)).unwrap();
    assert!(verify_ledger(&written.disk, None).unwrap().intact);
    let report = verify_ledger(&written.disk, Some(&kept)).unwrap();
    assert!(!report.intact && report.problems[0].starts_with("ledger entry 3 is 3:"));
}

#[test]
fn heads_are_read_as_they_are_written() {
    let head = Head { seq: 12, sha256: "ab".repeat(32) };
    assert_eq!(head.line().parse(), Ok(head.clone()));
    assert_eq!(format!("12:{}", "AB".repeat(32)).parse(), Ok(head));
    for bad in ["", ":", "12", "+12:ab", "-1:ab", "12:ab", "x:0"] {
        assert_eq!(bad.parse::<Head>(), Err(HeadError), "{bad}");
    }
}

#[test]
fn a_crash_at_any_write_loses_nothing_that_was_acknowledged() {
    for fault in Fault::ALL {
        for at in 0.. {
            let dir = quick_dir();
            let disk = LocalDisk::new(dir.path());
            let faulty = FaultyStorage::new(disk.clone(), fault, at);
            let mut acknowledged = 0;
            let outcome = (|| -> Result<(), StoreError> {
                let mut ledger = Ledger::recover(&faulty)?.0;
                for n in 1..=3 {
                    ledger.append(&faulty, seen(&format!("r{n}")), time(n))?;
                    acknowledged = n;
                }
                Ok(())
            })();
            assert_eq!(outcome.is_err(), faulty.struck());
            let (mut ledger, warnings) = Ledger::recover(&disk).unwrap();
            let seq = i64::try_from(ledger.view().seq).unwrap();
            assert!((acknowledged..=acknowledged + 1).contains(&seq), "{fault:?} at {at}");
            assert!(warnings.is_empty() || fault == Fault::DiesWithin);
            for n in seq + 1..=3 {
                ledger.append(&disk, seen(&format!("r{n}")), time(n)).unwrap();
            }
            assert_eq!(ledger.view().requests.len(), 3);
            assert!(verify_ledger(&disk, None).unwrap().intact);
            if !faulty.struck() {
                break;
            }
        }
    }
}

#[test]
fn readers_see_a_whole_ledger_while_a_pass_writes() {
    let written = Written::new(1);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut last = 0;
            while !done.load(std::sync::atomic::Ordering::SeqCst) {
                let seq = Ledger::load(&written.disk).unwrap().0.view().seq;
                assert!(seq >= last);
                last = seq;
            }
        });
        let mut ledger = written.ledger.clone();
        for n in 2..60 {
            ledger.append(&written.disk, seen(&format!("r{n}")), time(n)).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::SeqCst);
        reader.join().unwrap();
    });
}
