//! Random lakes, requests and changes of both: a plan that rests on what earlier passes have seen is the
//! plan of a pass that reads everything, byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::reconcile::gather::{Texts, engine, state_dir};
use crate::reconcile::pass::Pass;
use crate::reconcile::{Approval, Clock, Silent, Tries, Workspace, apply};
use crate::store::Seen;

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// A workspace, and what passes over it have seen.
struct World {
    dir: TempDir,
    dice: Dice,
    seen: Seen,
    files: u64,
    requests: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["policies", "requests", "lake/web/day=1", "lake/web/day=2", "lake/shop"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        let state = workspace(dir.path());
        let state = crate::store::StateDir::locate(state.state.as_deref().unwrap(), Path::new("/"));
        let seen = state.unwrap().write(Duration::ZERO).unwrap().state().seen().unwrap();
        let dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let mut world = Self { dir, dice, seen, files: 0, requests: 0 };
        world.policies();
        for _ in 0..8 {
            world.add_file();
        }
        for _ in 0..3 {
            world.add_request();
        }
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn policies(&mut self) {
        let lake = self.path("lake").display().to_string();
        let comparing = ["", ", normalize: [trim]", ", caseSensitive: true"];
        let (email, crm) = (self.dice.pick(&comparing), self.dice.pick(&comparing));
        let hold = if self.dice.one_in(2) { "datasets: [shop]" } else { "requests: [r1, r2, r3]" };
        let phone = if self.dice.one_in(2) {
            "I2, ID-PERSON, DEL-PERSON"
        } else {
            "I2, ID-DEVICE, DEL-DEVICE"
        };
        let text = format!(
            "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: web}}\nspec:\n  product: web\n  location: {lake}/web/\n  format: parquet\n  fields:\n\
             \x20   - {{path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}\n\
             \x20   - {{path: cookie, namespace: cookie, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}}\n\
             \x20   - {{path: phone, namespace: phone, labels: [{phone}, ACC-ALL]}}\n\
             \x20   - {{path: page, labels: [ACC-ALL], selectable: true}}\n\
             ---\napiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: shop}}\nspec:\n  product: shop\n  location: {lake}/shop/\n  format: parquet\n  mayBeEmpty: true\n  fields:\n\
             \x20   - {{path: email, namespace: email, labels: [I1, ID-PERSON, DEL-PERSON, ACC-ALL]}}\n\
             \x20   - {{path: phone, namespace: phone, labels: [I2, ID-PERSON, DEL-PERSON, ACC-ALL]}}\n\
             \x20   - {{path: cookie, namespace: cookie, labels: [I2, ID-DEVICE, DEL-DEVICE, ACC-ALL]}}\n\
             ---\napiVersion: amparo/v1\nkind: Namespace\nmetadata: {{name: email}}\nspec: {{namespace: email, expansion: always{email}}}\n\
             ---\napiVersion: amparo/v1\nkind: Namespace\nmetadata: {{name: phone}}\nspec: {{namespace: phone{crm}}}\n\
             ---\napiVersion: amparo/v1\nkind: Namespace\nmetadata: {{name: cookie}}\nspec: {{namespace: cookie, expansion: cookie}}\n\
             ---\napiVersion: amparo/v1\nkind: Hold\nmetadata: {{name: keep}}\nspec: {{{hold}, until: 2099-01-01, reason: \"a lawsuit\"}}\n\
             ---\napiVersion: amparo/v1\nkind: Settings\nmetadata: {{name: default}}\nspec: {{limits: {{maxConflicts: 3, maxFractionErased: 1.0}}}}\n",
        );
        fs::write(self.path("policies/all.yaml"), text).unwrap();
    }

    fn value(&mut self, kind: &str) -> String {
        let number = self.dice.below(60);
        match self.dice.below(12) {
            0 => format!("{}{number}", kind.to_uppercase()),
            1 => format!(" {kind}{number}"),
            _ => format!("{kind}{number}"),
        }
    }

    fn column(&mut self, kind: &str, rows: u64) -> ArrayRef {
        if kind == "phone" && self.dice.one_in(2) {
            let values = (0..rows).map(|_| Some(i64::try_from(7 + self.dice.below(60)).unwrap()));
            return Arc::new(values.collect::<Int64Array>());
        }
        let values: Vec<Option<String>> =
            (0..rows).map(|_| (!self.dice.one_in(5)).then(|| self.value(kind))).collect();
        Arc::new(StringArray::from(values))
    }

    fn write(&mut self, path: &Path) {
        let rows = self.dice.below(5);
        let columns = ["email", "cookie", "phone", "page"];
        let columns = columns.map(|name| (name, self.column(name, rows), true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let file = fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    fn add_file(&mut self) {
        self.files += 1;
        let folder = self.dice.pick(&["web/day=1", "web/day=2", "shop"]);
        self.write(&self.path(&format!("lake/{folder}/{}.parquet", self.files)));
    }

    fn some_file(&mut self) -> Option<PathBuf> {
        let mut all = Vec::new();
        for folder in ["web/day=1", "web/day=2", "shop"] {
            let entries = fs::read_dir(self.path("lake").join(folder)).unwrap();
            all.extend(entries.map(|entry| entry.unwrap().path()));
        }
        all.sort();
        let at = self.dice.below(all.len().max(1) as u64);
        all.get(usize::try_from(at).unwrap()).cloned()
    }

    fn change_file(&mut self) {
        let Some(path) = self.some_file() else { return };
        match self.dice.below(4) {
            0 => fs::remove_file(path).unwrap(),
            1 => self.write(&path),
            2 => {
                // In place, with size and time as they were: only `ctime` tells.
                let (meta, before) = (fs::metadata(&path).unwrap(), fs::read(&path).unwrap());
                let other = self.path("other.parquet");
                self.write(&other);
                let mut after = fs::read(&other).unwrap();
                if after.len() != before.len() {
                    after = before;
                }
                fs::write(&path, after).unwrap();
                let file = fs::File::options().write(true).open(&path).unwrap();
                file.set_modified(meta.modified().unwrap()).unwrap();
            }
            _ => {
                let beside = self.path("other.parquet");
                self.write(&beside);
                fs::rename(beside, path).unwrap();
            }
        }
    }

    fn add_request(&mut self) {
        self.requests += 1;
        self.write_request(self.requests);
    }

    fn write_request(&mut self, number: u64) {
        let mut users = String::new();
        for user in 0..1 + self.dice.below(3) {
            let mut ids = Vec::new();
            for _ in 0..1 + self.dice.below(2) {
                let mut one = || {
                    let kind = self.dice.pick(&["email", "cookie", "phone"]);
                    let value = match (kind, self.dice.one_in(2)) {
                        ("phone", true) => (7 + self.dice.below(60)).to_string(),
                        _ => self.value(kind),
                    };
                    format!("{{namespace: {kind}, value: \"{value}\"}}")
                };
                let (first, second) = (one(), one());
                let composite = self.dice.one_in(4);
                ids.push(if composite { format!("{{allOf: [{first}, {second}]}}") } else { first });
            }
            let action = self.dice.pick(&["access", "delete", "delete", "access, delete"]);
            let standing = self.dice.one_in(3) && !action.contains("access");
            let only = if self.dice.one_in(6) { "\n      only: {datasets: [web]}" } else { "" };
            users += &format!(
                "    - key: k{user}\n      action: [{action}]\n      standing: {standing}\n      userIDs: [{}]{only}\n",
                ids.join(", ")
            );
        }
        let expand = self.dice.one_in(2);
        let text = format!(
            "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {{name: r{number}}}\nspec:\n  regulation: gdpr\n  expandIds: {expand}\n  include: [web, shop]\n  users:\n{users}"
        );
        fs::write(self.path(&format!("requests/r{number}.yaml")), text).unwrap();
    }

    fn change(&mut self) {
        match self.dice.below(12) {
            0 | 1 => self.add_file(),
            2..=5 => self.change_file(),
            6 => self.policies(),
            7 => self.add_request(),
            8 => {
                let number = 1 + self.dice.below(self.requests);
                self.write_request(number);
            }
            9 => drop(apply(&workspace(self.dir.path()), Approval::Given, &mut Silent)),
            _ => {}
        }
    }

    /// Plans with what was seen and without; whether they agree.
    fn plan_twice(&mut self) {
        let workspace = workspace(self.dir.path());
        let texts = Texts::read(&workspace).unwrap();
        let now = workspace.clock.now();
        let loaded = texts.load(now);
        assert!(loaded.catalog_valid, "{:?}", loaded.diagnostics);
        let state = state_dir(&workspace, &loaded.catalog).unwrap().read().unwrap();
        let engine = engine(&workspace, &loaded.catalog).unwrap();
        let pass =
            Pass { workspace: &workspace, texts: &texts, loaded: &loaded, engine: &engine, now };
        let plan = |seen: Option<&mut Seen>| {
            let mut inventory = pass.inventory().unwrap();
            // As if all had been written long ago: each change below comes in a tick of its own.
            inventory.looked += 1 << 40;
            let outlook = pass.look(&state, inventory, seen, &mut Silent).unwrap();
            serde_json::to_string_pretty(&outlook.plan).unwrap()
        };
        let with = plan(Some(&mut self.seen));
        let without = plan(None);
        assert_eq!(with, without);
    }

    /// Waits until a change would be seen by its time.
    fn tick(&self) {
        let path = self.path("clock");
        let touched = || {
            fs::write(&path, b"tick").unwrap();
            let meta = fs::metadata(&path).unwrap();
            (meta.ctime(), meta.ctime_nsec())
        };
        let first = touched();
        while touched() == first {}
    }
}

fn workspace(root: &Path) -> Workspace {
    Workspace {
        policies: root.join("policies"),
        requests: root.join("requests"),
        approvals: root.join("approvals"),
        state: Some(root.join("state").display().to_string()),
        exports: Some(root.join("exports").display().to_string()),
        clock: Clock::Fixed("2026-11-22T09:00:00Z".parse().unwrap()),
        scratch: None,
        identity: None,
        lock_wait: Duration::ZERO,
        memory: 64 << 20,
        jobs: 2,
        tries: Tries::All,
        stop: Default::default(),
    }
}

#[test]
fn plans_are_the_same_with_what_was_seen_and_without() {
    let mut passed_over = 0;
    for seed in 1..=12 {
        let mut world = World::new(seed);
        for step in 0..12 {
            world.plan_twice();
            if step % 3 == 2 {
                world.seen = world.seen.reloaded();
            }
            world.tick();
            world.change();
        }
        passed_over += world.seen.passed_over();
    }
    assert!(passed_over > 200, "hardly anything was remembered: {passed_over}");
}
