//! The memory by itself; that plans are the same with it and without it, see `reconcile/seen_tests.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use super::*;
use crate::model::{Key, LeafType, Namespace, NamespaceName, Normalize};
use crate::plan::testing::{TableFile, World, leaf};
use crate::plan::{IdentityId, ProbeLeaf, RowKey};
use crate::store::testing::{Fault, FaultyStorage, quick_dir};
use crate::store::{LocalDisk, StateDir};

/// Long after every file of these tests.
const LATER: i128 = 1_000_000_000_000_000_000;

fn dataset() -> Name {
    Name::new("events").unwrap()
}

fn inventory(files: usize) -> Inventory {
    let mut world = World::default();
    let empty = || TableFile { rows: Vec::new(), partitions: Vec::new() };
    let leaves = ["email", "crm"].map(|at| leaf(at, LeafType::Text)).to_vec();
    world.files("events", leaves, (0..files).map(|_| empty()).collect());
    world.inventory.looked = LATER;
    world.inventory
}

fn rules() -> Namespace {
    Namespace::built_in(&NamespaceName::new("email").unwrap())
}

/// A probe of both leaves: each value an identity, by its position.
fn probe(values: &[&str], rules: &Namespace) -> Probe {
    let keys: Vec<_> = values
        .iter()
        .zip(0..)
        .map(|(value, number)| (Key::Text(rules.canonical(value)), IdentityId(number)))
        .collect();
    let leaf = |leaf| ProbeLeaf { leaf, namespace: rules.clone(), keys: keys.clone() };
    Probe {
        leaves: vec![leaf(0), leaf(1)],
        all_of: Vec::new(),
        alone: keys.iter().map(|(_, id)| *id).collect(),
    }
}

fn hit(file: u32, leaf: u16, identity: u32) -> Hit {
    Hit {
        at: RowKey { file, row: 0 },
        leaf,
        identity: IdentityId(identity),
        element: Box::default(),
    }
}

struct Fixture {
    dir: tempfile::TempDir,
    inventory: Inventory,
    seen: Seen,
}

impl Fixture {
    fn new(files: usize) -> Self {
        let dir = quick_dir();
        let state = StateDir::locate(dir.path().to_str().unwrap(), "/".as_ref()).unwrap();
        let state = state.write(std::time::Duration::ZERO).unwrap();
        let mut fixture =
            Self { seen: state.state().seen().unwrap(), inventory: inventory(files), dir };
        fixture.seen.begin(&fixture.inventory);
        fixture
    }

    fn disk(&self) -> LocalDisk {
        LocalDisk::new(self.dir.path())
    }

    fn files(&mut self) -> &mut DatasetFiles {
        self.inventory.datasets.get_mut(&dataset()).unwrap()
    }

    /// Which files have to be read.
    fn unknown(&mut self, probe: &Probe) -> Vec<u32> {
        self.seen.begin(&self.inventory);
        let files = &self.inventory.datasets[&dataset()];
        self.seen.look(files, probe).files().unwrap().to_vec()
    }

    /// Searches what has to be, and finds these.
    fn search(&mut self, probe: &Probe, hits: &[Hit]) {
        self.seen.begin(&self.inventory);
        let files = &self.inventory.datasets[&dataset()];
        let look = self.seen.look(files, probe);
        let read = look.files().unwrap();
        let hits: Vec<Hit> =
            hits.iter().filter(|hit| read.contains(&hit.at.file)).cloned().collect();
        self.seen.learn(files, &look, &hits);
    }

    fn save(&mut self) {
        let disk = self.disk();
        self.seen.save(&disk, [dataset()].iter()).unwrap();
    }

    fn reload(&mut self) {
        self.seen = Seen::load(&self.disk(), &self.seen.key);
    }

    fn kept(&self) -> Option<Vec<u8>> {
        self.disk().read(&path(&dataset())).unwrap()
    }
}

#[test]
fn a_file_is_not_read_again_for_what_it_does_not_hold() {
    let mut fixture = Fixture::new(4);
    let (ab, abc) = (probe(&["a", "b"], &rules()), probe(&["a", "b", "c"], &rules()));
    assert_eq!(fixture.unknown(&ab), [0, 1, 2, 3]);
    fixture.search(&ab, &[hit(2, 1, 0)]);
    assert_eq!(fixture.unknown(&ab), [2]);
    assert_eq!(fixture.unknown(&probe(&["b"], &rules())), [] as [u32; 0]);
    assert_eq!(fixture.unknown(&probe(&["a"], &rules())), [2]);
    assert_eq!(fixture.unknown(&abc), [0, 1, 2, 3], "of `c` nothing is known");
    fixture.search(&abc, &[hit(0, 0, 2), hit(2, 1, 0)]);
    assert_eq!(fixture.unknown(&abc), [0, 2]);
    assert_eq!(fixture.seen.passed_over(), 3 + 4 + 3 + 2);
}

#[test]
fn whatever_changes_of_a_file_makes_it_unknown() {
    let asked = probe(&["a"], &rules());
    let changes: [fn(&mut DataFile); 8] = [
        |file| file.path.push("x"),
        |file| file.stamp.size += 1,
        |file| file.stamp.modified += 1,
        |file| file.stamp.inode += 100,
        |file| file.stamp.footer = "e".repeat(64),
        |file| file.trace.device += 1,
        |file| file.trace.changed += 1,
        |file| file.partitions.push(("day".to_owned(), None)),
    ];
    for change in changes {
        let mut fixture = Fixture::new(3);
        fixture.search(&asked, &[]);
        assert_eq!(fixture.unknown(&asked), [] as [u32; 0]);
        change(&mut fixture.files().files[1]);
        assert_eq!(fixture.unknown(&asked), [1]);
    }
}

#[test]
fn whatever_changes_how_values_compare_makes_all_files_unknown() {
    let asked = probe(&["a"], &rules());
    let exact = Namespace { case_sensitive: true, ..rules() };
    let trimmed = Namespace { normalize: vec![Normalize::Trim], ..rules() };
    let digits = Namespace { normalize: vec![Normalize::Digits, Normalize::Trim], ..rules() };
    let other = Namespace::built_in(&NamespaceName::new("phone").unwrap());
    for rules in [exact, trimmed, digits, other] {
        let mut fixture = Fixture::new(2);
        fixture.search(&asked, &[]);
        assert_eq!(fixture.unknown(&probe(&["a"], &rules)), [0, 1]);
    }
    let changes: [fn(&mut crate::model::Leaf); 4] = [
        |leaf| leaf.kind = LeafType::Binary,
        |leaf| leaf.path = crate::plan::testing::path("props.email"),
        |leaf| leaf.lists = vec![1],
        |leaf| leaf.partition = true,
    ];
    for change in changes {
        let mut fixture = Fixture::new(2);
        fixture.search(&asked, &[]);
        change(&mut fixture.files().leaves[0]);
        assert_eq!(fixture.unknown(&asked), [0, 1]);
    }
}

#[test]
fn a_young_file_is_not_remembered() {
    let asked = probe(&["a"], &rules());
    let mut fixture = Fixture::new(5);
    fixture.files().files[0].stamp.modified = LATER - YOUNG;
    fixture.files().files[1].trace.changed = LATER - YOUNG;
    fixture.files().files[2].stamp.modified = LATER + 1;
    fixture.files().files[3].trace.changed = LATER - YOUNG - 1;
    fixture.search(&asked, &[]);
    assert_eq!(fixture.unknown(&asked), [0, 1, 2]);
    fixture.inventory.looked = LATER + YOUNG + 2;
    fixture.search(&asked, &[]);
    assert_eq!(fixture.unknown(&asked), [] as [u32; 0]);
}

#[test]
fn a_set_is_asked_as_a_whole() {
    let mut fixture = Fixture::new(4);
    let mut both = probe(&["a", "b"], &rules());
    (both.alone, both.all_of) = (Vec::new(), vec![vec![IdentityId(0), IdentityId(1)]]);
    fixture.search(&both, &[hit(1, 0, 0), hit(1, 1, 1), hit(2, 0, 0)]);
    assert_eq!(fixture.unknown(&both), [1], "file 2 holds a part of it alone");
    let mut swapped = probe(&["b", "a"], &rules());
    (swapped.alone, swapped.all_of) = (Vec::new(), both.all_of.clone());
    assert_eq!(fixture.unknown(&swapped), [1], "the order of its parts does not matter");
    assert_eq!(fixture.unknown(&probe(&["a", "b"], &rules())), [0, 1, 2, 3]);
}

#[test]
fn what_is_kept_is_read_again() {
    let mut fixture = Fixture::new(70);
    let asked = probe(&["jane@mail.example", "b", "c"], &rules());
    fixture.search(&asked, &[hit(3, 0, 0), hit(4, 0, 1), hit(4, 1, 1)]);
    fixture.save();
    let first = fixture.kept().unwrap();
    assert!(!first.windows(4).any(|bytes| bytes == b"jane" || bytes == b"lake"));
    fixture.reload();
    assert_eq!(fixture.unknown(&asked), [3, 4]);
    fixture.search(&asked, &[hit(3, 0, 0), hit(4, 0, 1), hit(4, 1, 1)]);
    fixture.save();
    assert_eq!(fixture.kept().unwrap(), first, "a pass that learned nothing writes nothing");
}

#[test]
fn little_is_not_kept() {
    let asked = probe(&["a"], &rules());
    let mut fixture = Fixture::new(63);
    fixture.search(&asked, &[]);
    fixture.save();
    assert_eq!(fixture.kept(), None);
    let mut fixture = Fixture::new(2);
    fixture.files().files[1].size = 64 << 20;
    fixture.search(&asked, &[]);
    fixture.save();
    assert!(fixture.kept().is_some());
}

#[test]
fn what_is_damaged_or_foreign_is_not_there() {
    let mut fixture = Fixture::new(64);
    let asked = probe(&["a", "b"], &rules());
    fixture.search(&asked, &[hit(1, 0, 0)]);
    fixture.save();
    let (key, whole) = (fixture.seen.key.clone(), fixture.kept().unwrap());
    assert!(file::decode(&key, &dataset(), &whole).is_some());
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 1;
        assert!(file::decode(&key, &dataset(), &broken).is_none(), "byte {at}");
    }
    for length in [0, 1, 50, whole.len() - 1] {
        assert!(file::decode(&key, &dataset(), &whole[..length]).is_none());
    }
    let longer = [whole.as_slice(), b"\0"].concat();
    assert!(file::decode(&key, &dataset(), &longer).is_none());
    assert!(file::decode(&key, &Name::new("orders").unwrap(), &whole).is_none());
    let other = Fixture::new(0).seen.key;
    assert!(file::decode(&other, &dataset(), &whole).is_none(), "another deployment's");
    std::fs::write(fixture.dir.path().join("seen/events"), &whole[1..]).unwrap();
    std::fs::write(fixture.dir.path().join("seen/.hidden"), b"x").unwrap();
    fixture.reload();
    assert_eq!(fixture.unknown(&asked).len(), 64);
    fixture.search(&asked, &[hit(1, 0, 0)]);
    fixture.save();
    fixture.reload();
    assert_eq!(fixture.unknown(&asked), [1], "it was replaced");
}

#[test]
fn numbers_that_lead_nowhere_are_no_table() {
    let of = |words: Vec<u64>, set: u32| {
        Table::of(table::Parts {
            questions: vec![[1; 16]; 1],
            sets: vec![bits::Bits::of_words(words)],
            files: vec![([2; 16], set)],
        })
    };
    assert!(of(vec![1], 0).is_some());
    assert!(of(vec![1, 1], 0).is_none());
    assert!(of(vec![1], 1).is_none());
}

#[test]
fn what_is_gone_is_forgotten() {
    let mut fixture = Fixture::new(100);
    let asked = probe(&["a"], &rules());
    fixture.search(&asked, &[]);
    fixture.save();
    let many = fixture.kept().unwrap().len();
    fixture.files().files.truncate(70);
    fixture.files().files.iter_mut().for_each(|file| file.stamp.modified += 1);
    std::fs::write(fixture.dir.path().join("seen/retired"), b"").unwrap();
    fixture.search(&asked, &[]);
    fixture.save();
    assert_eq!(many - fixture.kept().unwrap().len(), 30 * 20, "files");
    assert_eq!(fixture.disk().list(FOLDER).unwrap(), ["events"], "datasets");
}

#[test]
fn old_questions_go_where_there_are_too_many() {
    let mut fixture = Fixture::new(64);
    let values: Vec<String> = (0..1500).map(|n| n.to_string()).collect();
    let (first, last) = (&values[..700], &values[1400..]);
    let of =
        |values: &[String]| probe(&values.iter().map(String::as_str).collect::<Vec<_>>(), &rules());
    fixture.search(&of(first), &[]);
    fixture.save();
    fixture.reload();
    fixture.search(&of(last), &[hit(5, 0, 0)]);
    fixture.save();
    fixture.reload();
    assert_eq!(fixture.unknown(&of(last)), [5]);
    assert_eq!(fixture.unknown(&of(first)).len(), 64, "1,400 questions are too many to keep");
}

#[test]
fn too_many_questions_at_once_are_not_remembered() {
    let mut fixture = Fixture::new(64);
    let values: Vec<String> = (0..8200).map(|n| n.to_string()).collect();
    let many = probe(&values.iter().map(String::as_str).collect::<Vec<_>>(), &rules());
    let files = &fixture.inventory.datasets[&dataset()];
    let look = fixture.seen.look(files, &many);
    assert!(look.files().is_none());
    fixture.seen.learn(files, &look, &[]);
    assert_eq!(fixture.unknown(&probe(&["1"], &rules())).len(), 64);
}

#[test]
fn a_write_that_fails_or_dies_leaves_what_was_there_or_what_is_new() {
    let asked = probe(&["a"], &rules());
    for fault in Fault::ALL {
        for at in 0..2 {
            let mut fixture = Fixture::new(64);
            fixture.search(&asked, &[]);
            fixture.save();
            fixture.files().files.iter_mut().for_each(|file| file.stamp.modified += 1);
            fixture.search(&asked, &[]);
            let faulty = FaultyStorage::new(fixture.disk(), fault, at);
            let saved = fixture.seen.save(&faulty, [dataset()].iter());
            assert_eq!(saved.is_err(), faulty.struck());
            fixture.reload();
            let unknown = fixture.unknown(&asked).len();
            assert!(unknown == 64 || unknown == 0, "{unknown}");
        }
    }
}

#[test]
fn the_files_of_a_table_are_those_of_the_inventory() {
    let mut fixture = Fixture::new(2);
    fixture.search(&probe(&["a"], &rules()), &[]);
    let table = &fixture.seen.tables[&dataset()];
    let ids: BTreeSet<FileId> = fixture.seen.files[&dataset()].iter().map(|file| file.id).collect();
    assert_eq!(table.parts(&ids, false).files.len(), 2);
    assert_eq!(table.parts(&BTreeSet::new(), false).files.len(), 0);
}
