#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, ListBuilder, StringArray, StringBuilder};
use parquet::file::properties::WriterProperties;

use super::super::{Candidate, Walked, assemble, location, open_all};
use super::*;
use crate::engine::testing::{Lake, dataset};
use crate::plan::DatasetFiles;
use crate::store::StateDir;

/// Long after the files of these tests were written.
const LATER: i128 = i128::MAX;

fn key(lake: &Lake) -> DeploymentKey {
    let state = StateDir::locate("state", lake.dir.path()).unwrap();
    let state = state.write(Duration::ZERO).unwrap();
    state.state().deployment_key().unwrap().clone()
}

/// Files of two schemas, of one and of several row groups, in partitions.
fn lake(files: usize) -> Lake {
    let lake = Lake::new();
    let groups = WriterProperties::builder().set_max_row_group_row_count(Some(3)).build();
    for file in 0..files {
        let numbers: ArrayRef = Arc::new((0..8).map(Some).collect::<Int64Array>());
        let texts: ArrayRef =
            Arc::new((0..8).map(|n| Some(n.to_string())).collect::<StringArray>());
        let mut lists = ListBuilder::new(StringBuilder::new());
        (0..8).for_each(|_| lists.append_value([Some("x"), None]));
        let lists: ArrayRef = Arc::new(lists.finish());
        let name = format!("lake/day={}/{file}.parquet", file % 3);
        match file % 2 {
            0 => lake.write(&name, [("n", numbers), ("tags", lists)], Some(groups.clone())),
            _ => lake.write(&name, [("t", texts), ("n", numbers)], None),
        };
    }
    lake
}

fn walk(lake: &Lake) -> Walked {
    location::walk(lake.dir.path(), &dataset("lake", "lake"))
}

/// An inventory as of `looked`, and how many footers were known.
fn look(lake: &Lake, footers: &mut Footers, looked: i128) -> (DatasetFiles, usize) {
    let (policy, walked) = (dataset("lake", "lake"), walk(lake));
    let opened = open_all(&walked.candidates, 2, Some(footers));
    let known = opened.iter().filter(|file| file.as_ref().unwrap().known).count();
    let paths = walked.candidates.iter().map(|file| file.path.as_path());
    let files = paths.zip(opened.iter().map(|file| file.as_ref().unwrap()));
    footers.learn(&policy.name, looked, files);
    (assemble::assemble(&policy, walked, opened), known)
}

fn kept(key: &DeploymentKey, bytes: Option<Vec<u8>>) -> Footers {
    Footers::new(Some(KeptFooters { key: key.clone(), bytes }))
}

#[test]
fn a_remembered_inventory_is_the_one_that_is_read() {
    let lake = lake(70);
    let key = key(&lake);
    let (read, known) = look(&lake, &mut Footers::default(), LATER);
    assert_eq!((known, read.files.len()), (0, 70));
    let mut first = kept(&key, None);
    look(&lake, &mut first, LATER);
    let bytes = first.worth_keeping(&key).unwrap();
    let mut second = kept(&key, Some(bytes.clone()));
    let (remembered, known) = look(&lake, &mut second, LATER);
    assert_eq!(known, 70);
    assert_eq!(format!("{remembered:?}"), format!("{read:?}"));
    assert_eq!(second.worth_keeping(&key), None, "nothing was learned");

    // A file that is written again is read again, and the others are kept.
    let changed = lake.path("lake/day=1/7.parquet");
    std::fs::copy(lake.path("lake/day=1/1.parquet"), &changed).unwrap();
    let mut third = kept(&key, Some(bytes.clone()));
    let (remembered, known) = look(&lake, &mut third, LATER);
    let (read, _) = look(&lake, &mut Footers::default(), LATER);
    assert_eq!((known, format!("{remembered:?}")), (69, format!("{read:?}")));
    third.clear();
    let (read_again, known) = look(&lake, &mut third, LATER);
    assert_eq!((known, format!("{read_again:?}")), (0, format!("{read:?}")));
    assert!(third.worth_keeping(&key).is_some());

    // Another deployment knows nothing of these files.
    let (_, known) = look(&lake, &mut kept(&self::key(&Lake::new()), Some(bytes)), LATER);
    assert_eq!(known, 0);
}

#[test]
fn what_is_kept_is_of_the_files_that_are_there() {
    let lake = lake(80);
    let key = key(&lake);
    let mut footers = kept(&key, None);
    look(&lake, &mut footers, LATER);
    let first = footers.worth_keeping(&key).unwrap();
    for file in 0..80 {
        let path = lake.path(&format!("lake/day={}/{file}.parquet", file % 3));
        match file % 2 {
            0 => std::fs::remove_file(path).unwrap(),
            _ => drop(lake.ids(&format!("lake/day={}/{file}.parquet", file % 3), &[Some("x"); 3])),
        }
    }
    for file in 80..120 {
        lake.ids(&format!("lake/day=0/{file}.parquet"), &[Some("x")]);
    }
    let mut footers = kept(&key, Some(first));
    look(&lake, &mut footers, LATER);
    let second = Footers::read(&footers.worth_keeping(&key).unwrap()).unwrap();
    assert_eq!((second.files.len(), second.schemas.len()), (80, 1));
}

#[test]
fn young_files_and_few_are_not_kept() {
    let lake = lake(64);
    let key = key(&lake);
    let mut footers = kept(&key, None);
    let (files, _) = look(&lake, &mut footers, LATER);
    assert!(footers.worth_keeping(&key).is_some());
    let newest = files.files.iter().map(|file| file.trace.changed).max().unwrap();
    look(&lake, &mut footers, newest + 2_000_000_000);
    assert_eq!(footers.worth_keeping(&key), None, "one of them could still change unseen");
    look(&lake, &mut footers, newest + 2_000_000_001);
    assert!(footers.worth_keeping(&key).is_some());
}

#[test]
fn what_does_not_parse_is_not_there() {
    let lake = lake(64);
    let key = key(&lake);
    let mut footers = kept(&key, None);
    look(&lake, &mut footers, LATER);
    let whole = footers.worth_keeping(&key).unwrap();
    assert!(Footers::read(&whole).is_some());
    for length in 0..whole.len() {
        assert!(Footers::read(&whole[..length]).is_none(), "{length} bytes");
    }
    for at in 0..whole.len() {
        // Whatever a byte becomes: no panic, and no group without its columns.
        let mut broken = whole.clone();
        broken[at] ^= 0x81;
        for kept in Footers::read(&broken).iter().flat_map(|footers| footers.files.values()) {
            assert!(kept.groups.len() >= 3);
        }
    }
    let older = [&[0], &whole[1..]].concat();
    assert!(Footers::read(&older).is_none());
}

#[test]
fn whatever_changes_of_a_file_makes_it_unknown() {
    let lake = lake(64);
    let key = key(&lake);
    let mut footers = kept(&key, None);
    look(&lake, &mut footers, LATER);
    let footers = kept(&key, footers.worth_keeping(&key));
    let Candidate { path, stat, .. } = walk(&lake).candidates.remove(0);
    assert!(footers.get(&path, &stat).is_some());
    let changes: [fn(&mut Stat); 5] = [
        |stat| stat.size += 1,
        |stat| stat.modified += 1,
        |stat| stat.inode += 1,
        |stat| stat.trace.device += 1,
        |stat| stat.trace.changed += 1,
    ];
    for change in changes {
        let mut other = stat;
        change(&mut other);
        assert!(footers.get(&path, &other).is_none());
    }
    assert!(footers.get(&path.with_extension("pq"), &stat).is_none());
}
