#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::Covered;
use crate::engine::Reserved;
use crate::engine::testing::{Lake, dataset};
use crate::model::{Dataset, Ignored, Position};
use crate::plan::coverage::{RootLook, UncoveredKind};

/// A lake in which `covered` and `one.parquet` belong to datasets.
struct Rooted {
    lake: Lake,
    datasets: Vec<Dataset>,
    ignored: Vec<Ignored>,
    reserved: Vec<Reserved>,
}

impl Rooted {
    fn new() -> Self {
        let lake = Lake::new();
        for file in
            ["lake/covered/dt=1/a.parquet", "lake/covered/dt=2/a.parquet", "lake/one.parquet"]
        {
            lake.ids(file, &[Some("x")]);
        }
        let datasets = vec![dataset("c", "lake/covered/"), dataset("o", "lake/one.parquet")];
        Self { lake, datasets, ignored: Vec::new(), reserved: Vec::new() }
    }

    fn ignore(&mut self, locations: &[&str]) {
        let ignored = locations.iter().map(|location| Ignored {
            location: (*location).to_owned(),
            reason: "on purpose".to_owned(),
            position: Position::default(),
        });
        self.ignored = ignored.collect();
    }

    fn put(&self, files: &[&str]) -> &Self {
        for file in files {
            self.lake.ids(file, &[Some("x")]);
        }
        self
    }

    fn link(&self, target: &str, name: &str) {
        symlink(self.lake.path(target), self.lake.path(name)).unwrap();
    }

    fn look(&self, root: &str) -> RootLook {
        let datasets: Vec<&Dataset> = self.datasets.iter().collect();
        let inventory = self.lake.engine.inventory(&datasets, &self.reserved);
        let covered = Covered {
            datasets: &datasets,
            inventory: &inventory,
            reserved: &self.reserved,
            ignored: &self.ignored,
        };
        self.lake.engine.uncovered(Path::new(root), covered, &|| true)
    }

    /// `PATH: what`, then the problems.
    fn found(&self, root: &str) -> Vec<String> {
        let look = self.look(root);
        let places = look.uncovered.into_iter().map(|place| {
            let what = match place.what {
                UncoveredKind::File => "file".to_owned(),
                UncoveredKind::Directory(files) => format!("{files} files"),
                UncoveredKind::Beside(files, example) => format!("{files} beside, {example}"),
                UncoveredKind::Table(format) => format.to_owned(),
            };
            format!("{}: {what}", place.shown)
        });
        let problems = look.problems.into_iter().map(|(shown, what)| format!("{shown} {what}"));
        places.chain(problems).collect()
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_datasets_cover_is_not_found() {
    let rooted = Rooted::new();
    for root in ["lake", "lake/", ".", "lake/covered", "lake/covered/dt=1"] {
        assert_eq!(rooted.found(root), NOTHING, "{root}");
    }
    assert_eq!(rooted.found(rooted.lake.path("lake").to_str().unwrap()), NOTHING);
}

#[test]
fn a_directory_with_its_partitions_is_one_finding() {
    let rooted = Rooted::new();
    rooted.put(&[
        "lake/events/dt=2026-11-01/a.parquet",
        "lake/events/dt=2026-11-02/email=john@mail.com/a.parquet",
        "lake/by-day/2026/11/22/a.parq",
        "lake/by-day/2026/11/23/b.pq",
        "lake/single/only.parquet",
        "lake/nested/deep/a.parquet",
        "lake/nested/deep/b.parquet",
    ]);
    assert_eq!(
        rooted.found("lake"),
        [
            "lake/by-day: 2 files",
            "lake/events: 2 files",
            "lake/nested/deep: 2 files",
            "lake/single/only.parquet: file",
        ]
    );
}

#[test]
fn files_beside_covered_ones_are_named() {
    let rooted = Rooted::new();
    rooted.put(&["lake/two.parquet"]);
    assert_eq!(rooted.found("lake"), ["lake/two.parquet: file"]);
    rooted.put(&["lake/three.parquet"]);
    assert_eq!(rooted.found("."), ["lake: 2 beside, lake/three.parquet"]);
}

#[test]
fn a_glob_covers_what_it_matches_and_no_more() {
    let mut rooted = Rooted::new();
    rooted.put(&["lake/globbed/part-1.parquet", "lake/globbed/other.parquet"]);
    rooted.datasets.push(dataset("g", "lake/globbed/part-*.parquet"));
    assert_eq!(rooted.found("lake"), ["lake/globbed/other.parquet: file"]);
}

#[test]
fn what_a_dataset_names_and_cannot_use_is_the_inventorys_to_say() {
    let mut rooted = Rooted::new();
    rooted.put(&["lake/linked/a.parquet", "lake/delta/a.parquet"]);
    fs::hard_link(rooted.lake.path("lake/linked/a.parquet"), rooted.lake.path("second")).unwrap();
    fs::write(rooted.lake.path("lake/linked/empty.parquet"), "").unwrap();
    fs::create_dir_all(rooted.lake.path("lake/delta/_delta_log")).unwrap();
    rooted.datasets.push(dataset("l", "lake/linked/*.parquet"));
    rooted.datasets.push(dataset("d", "lake/delta"));
    assert_eq!(rooted.found("lake"), NOTHING);
}

#[test]
fn hidden_files_and_parquet_under_other_names_are_found() {
    let rooted = Rooted::new();
    rooted.put(&[
        "lake/covered/_old/a.parquet",
        "lake/.trash/a.parquet",
        "lake/dump.bin",
        "lake/covered/.amparo-x.parquet",
        "lake/.git/objects/a.parquet",
    ]);
    fs::write(rooted.lake.path("lake/notes.txt"), "PAR").unwrap();
    assert_eq!(
        rooted.found("lake"),
        ["lake/.trash/a.parquet: file", "lake/covered/_old/a.parquet: file", "lake/dump.bin: file"]
    );
}

#[test]
fn tables_of_other_formats_are_one_finding_each() {
    let rooted = Rooted::new();
    rooted.put(&[
        "lake/delta/part=1/a.parquet",
        "lake/delta/_delta_log/1.checkpoint.parquet",
        "lake/hudi/a.parquet",
        "lake/ice/data/a.parquet",
    ]);
    fs::create_dir_all(rooted.lake.path("lake/hudi/.hoodie")).unwrap();
    fs::create_dir_all(rooted.lake.path("lake/ice/metadata")).unwrap();
    fs::write(rooted.lake.path("lake/ice/metadata/v1.metadata.json"), "{}").unwrap();
    assert_eq!(
        rooted.found("lake"),
        ["lake/delta: a Delta table", "lake/hudi: a Hudi table", "lake/ice: an Iceberg table"]
    );
}

#[test]
fn reserved_and_ignored_places_are_left_out() {
    let mut rooted = Rooted::new();
    rooted.put(&[
        "state/scratch/a.parquet",
        "lake/raw/x/a.parquet",
        "lake/tmp-1/a.parquet",
        "lake/tmp-2/a.parquet",
    ]);
    assert_eq!(rooted.found(".").len(), 4);
    rooted.reserved.push(Reserved { what: "the state directory", path: "state".into() });
    rooted.ignore(&["lake/raw", "lake/tmp-*"]);
    assert_eq!(rooted.found("."), NOTHING);
    rooted.ignore(&["lake/tmp-1/*.parquet", "s3://elsewhere/"]);
    assert_eq!(rooted.found("."), ["lake/raw/x/a.parquet: file", "lake/tmp-2/a.parquet: file"]);
}

#[test]
fn ignored_places_that_are_not_there_are_told() {
    let mut rooted = Rooted::new();
    rooted.put(&["lake/a/x.parquet", "elsewhere/y.parquet"]);
    rooted.ignore(&[
        "lake/a",
        "lake/b",
        "lake/c-*",
        "lake/*/x.parquet",
        "elsewhere/b",
        "lake/covered",
    ]);
    assert_eq!(rooted.look("lake").idle, [1, 2]);
    assert_eq!(rooted.look(".").idle, [1, 2, 4]);
}

#[test]
fn links_are_not_followed_but_what_they_lead_to_is_known() {
    let mut rooted = Rooted::new();
    rooted.put(&["outside/a.parquet", "elsewhere/b.parquet", "lake/real/a.parquet"]);
    fs::create_dir_all(rooted.lake.path("lake/links")).unwrap();
    rooted.link("lake", "lake/links/circle");
    rooted.link("lake/real", "lake/links/inside");
    rooted.link("lake/nowhere", "lake/links/dead");
    rooted.link("lake/nowhere", "lake/links/dead.parquet");
    rooted.link("outside", "lake/links/out");
    rooted.link("outside/a.parquet", "lake/links/out.parquet");
    rooted.link("elsewhere", "lake/links/covered");
    rooted.datasets.push(dataset("e", "lake/links/covered"));
    assert_eq!(
        rooted.found("lake"),
        [
            "lake/real/a.parquet: file",
            "lake/links/dead.parquet is a dead link",
            "lake/links/out is a link that leads out of the root, to a directory that no dataset covers",
            "lake/links/out.parquet is a link that leads out of the root, to Parquet that no dataset covers",
        ]
    );
    rooted.ignore(&["lake/links", "lake/real"]);
    assert_eq!(rooted.found("lake"), NOTHING);
}

#[test]
fn what_cannot_be_listed_is_said() {
    let rooted = Rooted::new();
    rooted.put(&["lake/closed/a.parquet"]);
    let closed = rooted.lake.path("lake/closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may list anything.
    let expected: &[&str] = match fs::read_dir(&closed) {
        Ok(_) => &["lake/closed/a.parquet: file"],
        Err(_) => &["lake/closed cannot be listed: permission denied"],
    };
    let found = rooted.found("lake");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(found, expected);
    assert_eq!(rooted.found("nowhere"), ["nowhere cannot be listed: entity not found"]);
}

#[test]
fn the_look_ends_when_it_is_told_to() {
    let rooted = Rooted::new();
    rooted.put(&["lake/a/a.parquet"]);
    let inventory = rooted.lake.engine.inventory(&[], &[]);
    let covered = Covered { datasets: &[], inventory: &inventory, reserved: &[], ignored: &[] };
    let look = rooted.lake.engine.uncovered(Path::new("lake"), covered, &|| false);
    assert!(look.uncovered.is_empty() && look.problems.is_empty());
}
