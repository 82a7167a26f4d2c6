//! The simulated world: the model, and the same on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use amparo::reconcile::{Clock, Stop, Tries, Workspace};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use tempfile::TempDir;

use super::dice::Dice;
use super::model::{File, FileId, Hold, HoldScope, Model};
use super::ops::{Damage, Edit, Op};
use super::people::{Request, row};
use super::rows::{self, Row};
use super::schema::{NAMESPACES, TENANTS};

/// What of the world is not in the model: how it got there.
#[derive(Debug)]
pub(super) struct World {
    dir: TempDir,
    pub(super) model: Model,
    /// Files as they first came.
    backups: BTreeMap<FileId, Vec<Row>>,
    requests_gone: Vec<(String, Request)>,
    holds_gone: Vec<(String, Hold)>,
    /// Numbers files, requests and holds.
    counter: u64,
    pub(super) ledger: super::check::Replacements,
    /// Files that a pass has swapped and not counted, because it was cut off.
    pub(super) unsettled: BTreeSet<FileId>,
}

/// As many files, requests and holds as a world may have.
const MOST: usize = 8;

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let now: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        let mut world = Self {
            dir,
            model: Model::new(now),
            backups: BTreeMap::new(),
            requests_gone: Vec::new(),
            holds_gone: Vec::new(),
            counter: 0,
            ledger: super::check::Replacements::default(),
            unsettled: BTreeSet::new(),
        };
        for folder in ["policies", "requests", "lake", "beside"] {
            fs::create_dir(world.path(folder)).unwrap();
        }
        let mut dice = Dice::new(seed);
        for dataset in 0..world.model.schema.len() {
            fs::create_dir(world.path("lake").join(world.model.schema[dataset].name)).unwrap();
            for _ in 0..2 {
                world.add_file(dataset, &mut dice);
            }
        }
        world.write_policies();
        world
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn workspace(&self) -> Workspace {
        Workspace {
            policies: self.path("policies"),
            requests: self.path("requests"),
            state: Some(self.path("state").to_string_lossy().into_owned()),
            exports: Some(self.path("exports").to_string_lossy().into_owned()),
            scratch: None,
            lock_wait: Duration::from_mins(1),
            clock: Clock::Fixed(self.model.now),
            tries: Tries::All,
            stop: Stop::default(),
            identity: None,
            approvals: self.path("approvals"),
            memory: 64 << 20,
            jobs: 2,
        }
    }

    pub(super) fn file_path(&self, id: &FileId) -> PathBuf {
        self.path("lake").join(self.model.schema[id.0].name).join(&id.1)
    }

    /// Does one thing, in the model and on disk.
    pub(super) fn act(&mut self, op: &Op) {
        match op {
            Op::AddRequest(seed) if self.model.requests.len() < MOST => {
                let request = Request::new(&mut Dice::new(*seed), self.model.now);
                let name = self.name("r");
                self.model.requests.insert(name.clone(), request);
                self.write_request(&name);
            }
            Op::AddRequest(_) => {}
            Op::EditRequest(which, edit) => {
                if let Some(name) = nth(&self.model.requests, *which) {
                    let now = self.model.now;
                    let request = self.model.requests.get_mut(&name).unwrap();
                    change(request, edit, now);
                    self.write_request(&name);
                }
            }
            Op::RemoveRequest(which) => {
                if let Some(name) = nth(&self.model.requests, *which) {
                    let request = self.model.requests.remove(&name).unwrap();
                    self.requests_gone.push((name.clone(), request));
                    self.write_request(&name);
                }
            }
            Op::ReturnRequest(which) => {
                if self.requests_gone.is_empty() || self.model.requests.len() >= MOST {
                    return;
                }
                let index = usize::from(*which) % self.requests_gone.len();
                let (name, request) = self.requests_gone.swap_remove(index);
                self.model.requests.insert(name.clone(), request);
                self.write_request(&name);
            }
            Op::RenameRequest(which) => {
                if let Some(name) = nth(&self.model.requests, *which) {
                    let request = self.model.requests.remove(&name).unwrap();
                    self.write_request(&name);
                    let name = self.name("renamed");
                    self.model.requests.insert(name.clone(), request);
                    self.write_request(&name);
                }
            }
            Op::AddHold(seed) => self.add_hold(&mut Dice::new(*seed)),
            Op::RemoveHold(which) => {
                if let Some(name) = nth(&self.model.policies.holds, *which) {
                    let hold = self.model.policies.holds.remove(&name).unwrap();
                    self.holds_gone.push((name, hold));
                }
            }
            Op::RetireHolds => {
                for (name, _) in self.holds_gone.drain(..) {
                    self.model.policies.retired.insert(name);
                }
            }
            Op::ReturnHolds => self.model.policies.holds.extend(self.holds_gone.drain(..)),
            Op::RemoveTenants => {
                // What a killed pass left there is for a pass that knows of it.
                let left = self.bytes("lake").into_keys().any(|path| is_staged(&path));
                let unsettled =
                    self.unsettled.iter().any(|(d, _)| self.model.schema[*d].name == TENANTS);
                self.model.policies.no_tenants |= !left && !unsettled;
            }
            Op::ReturnTenants => self.model.policies.no_tenants = false,
            Op::RetireTenants => {
                self.model.policies.retired.insert(TENANTS.to_owned());
            }
            Op::WidenPolicy => self.model.policies.wide = true,
            Op::BreakPolicies => self.model.policies.broken = true,
            Op::MendPolicies => self.model.policies.broken = false,
            Op::Hours(hours) => self.pass_time(i64::from(*hours % 72)),
            Op::Weeks(weeks) => self.pass_time(i64::from(1 + weeks % 5) * 24 * 7),
            Op::ClockBack(hours) => self.pass_time(-i64::from(*hours % 48)),
            data => self.act_on_data(data),
        }
        self.write_policies();
    }

    fn act_on_data(&mut self, op: &Op) {
        match op {
            Op::AddFile(seed) => {
                let mut dice = Dice::new(*seed);
                let dataset = usize::try_from(dice.below(self.model.schema.len() as u64)).unwrap();
                if self.model.files.keys().filter(|(d, _)| *d == dataset).count() < 5 {
                    self.add_file(dataset, &mut dice);
                }
            }
            Op::AppendRows(which, seed) => self.rewrite(*which, *seed, true),
            Op::ReplaceFile(which, seed) => self.rewrite(*which, *seed, false),
            Op::RestoreFile(which) => {
                if let Some(id) = nth(&self.backups, *which) {
                    let rows = self.backups[&id].clone();
                    self.put(id, rows, &mut Dice::new(u64::from(*which)));
                }
            }
            Op::RemoveFile(which) => {
                if let Some(id) = nth(&self.model.files, *which) {
                    self.replaced(&id);
                    fs::remove_file(self.file_path(&id)).unwrap();
                    self.model.files.remove(&id);
                }
            }
            Op::BreakFile(which, damage) => {
                let Some(id) = nth(&self.model.files, *which) else { return };
                self.replaced(&id);
                let path = self.file_path(&id);
                let bytes = fs::read(&path).unwrap();
                let broken = match damage {
                    Damage::Empty => Vec::new(),
                    Damage::Cut => bytes[..bytes.len() / 2].to_vec(),
                    Damage::Garbage => b"PAR1 zq-garbage".repeat(20),
                };
                fs::write(path, broken).unwrap();
                self.model.files.get_mut(&id).unwrap().broken = true;
            }
            _ => {
                let broken: Vec<FileId> = self
                    .model
                    .files
                    .iter()
                    .filter(|(_, file)| file.broken)
                    .map(|(id, _)| id.clone())
                    .collect();
                for id in broken {
                    let rows = self.model.files[&id].rows.clone();
                    self.put(id, rows, &mut Dice::new(7));
                }
            }
        }
    }

    fn name(&mut self, what: &str) -> String {
        self.counter += 1;
        format!("{what}-{}", self.counter)
    }

    fn pass_time(&mut self, hours: i64) {
        self.model.now = self.model.now.checked_add(Span::new().hours(hours)).unwrap();
    }

    fn add_file(&mut self, dataset: usize, dice: &mut Dice) {
        self.counter += 1;
        let name = self.model.schema[dataset].file_name(self.counter, dice);
        let id = (dataset, name);
        let rows = self.new_rows(&id, dice);
        self.put(id.clone(), rows.clone(), dice);
        self.backups.insert(id, rows);
    }

    fn new_rows(&self, id: &FileId, dice: &mut Dice) -> Vec<Row> {
        let partition = id.1.split_once('/').and_then(|(folder, _)| folder.split_once('='));
        let partition = partition.map(|(_, value)| value);
        (0..3 + dice.below(10)).map(|_| row(&self.model.schema[id.0], partition, dice)).collect()
    }

    fn rewrite(&mut self, which: u8, seed: u64, keep: bool) {
        let Some(id) = nth(&self.model.files, which) else { return };
        let mut dice = Dice::new(seed);
        let mut rows = self.new_rows(&id, &mut dice);
        if keep {
            rows.splice(0..0, self.model.files[&id].rows.clone());
        }
        self.put(id, rows, &mut dice);
    }

    /// Another writer comes before a pass could count what a cut one has done in the file.
    fn replaced(&mut self, id: &FileId) {
        if self.unsettled.remove(id) {
            let unfinished = self.model.known.values_mut().filter(|known| !known.is_final());
            unfinished.for_each(|known| known.miscounted = true);
        }
        for known in self.model.known.values_mut() {
            known.counted.remove(id);
        }
    }

    fn put(&mut self, id: FileId, rows: Vec<Row>, dice: &mut Dice) {
        self.replaced(&id);
        let (path, beside) = (self.file_path(&id), self.path("beside/file"));
        rows::write(&path, &beside, &self.model.schema[id.0], &rows, dice);
        self.model.files.insert(id, File { rows, broken: false });
    }

    fn add_hold(&mut self, dice: &mut Dice) {
        if self.model.policies.holds.len() >= MOST {
            return;
        }
        let scope = match dice.below(3) {
            0 => HoldScope::Dataset(dice.of(&["people", "orders", "visits", "log", "accounts"])),
            1 => {
                let fields = [
                    ("people", "url"),
                    ("orders", "note"),
                    ("orders", "items.msg"),
                    ("accounts", "name"),
                    ("log", "line"),
                    ("purchases", "memo"),
                ];
                let (dataset, field) = fields[usize::try_from(dice.below(6)).unwrap()];
                HoldScope::Field(dataset, field)
            }
            _ => match nth(&self.model.requests, u8::try_from(dice.below(256)).unwrap()) {
                Some(name) => HoldScope::Request(name),
                None => return,
            },
        };
        let today = self.model.now.to_zoned(TimeZone::UTC).date();
        let days = Span::new().days(i64::try_from(dice.below(40)).unwrap());
        let until = (!dice.once_in(4)).then(|| today.checked_add(days).unwrap());
        let name = self.name("hold");
        self.model.policies.holds.insert(name, Hold { scope, until });
    }

    fn write_request(&self, name: &str) {
        let path = self.path("requests").join(format!("{name}.yaml"));
        match self.model.requests.get(name) {
            Some(request) => {
                if std::env::var_os("AMPARO_SIMULATION_TRACE").is_some() {
                    println!("{name}: {}", request.yaml(name));
                }
                fs::write(path, request.yaml(name)).unwrap()
            }
            None => fs::remove_file(path).unwrap(),
        }
    }

    fn write_policies(&self) {
        let policies = &self.model.policies;
        let mut documents: Vec<String> = Vec::new();
        for (_, dataset) in self.model.datasets() {
            let location = self.path("lake").join(dataset.name);
            documents.push(dataset.yaml(&location.to_string_lossy(), policies.wide));
        }
        let head = |kind: &str, name: &str| {
            format!("apiVersion: amparo/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n")
        };
        for (namespace, expansion) in NAMESPACES {
            let more = if namespace == "email" {
                ", normalize: [trim], format: '^[^@ ]+@[^@ ]+$'"
            } else {
                ""
            };
            documents.push(format!(
                "{}spec: {{namespace: {namespace}, expansion: {expansion}{more}}}\n",
                head("Namespace", namespace)
            ));
        }
        for (name, hold) in &policies.holds {
            let scope = match &hold.scope {
                HoldScope::Dataset(dataset) => format!("datasets: [{dataset}]"),
                HoldScope::Field(dataset, field) => {
                    format!("datasets: [{dataset}], fields: [{field}]")
                }
                HoldScope::Request(request) => format!("requests: [{request}]"),
            };
            let until = hold.until.map_or(String::new(), |until| format!(", until: {until}"));
            documents.push(format!(
                "{}spec: {{{scope}, reason: simulated{until}}}\n",
                head("Hold", name)
            ));
        }
        let retired: Vec<&str> = policies.retired.iter().map(String::as_str).collect();
        documents.push(format!(
            "{}spec: {{retired: [{}]}}\n",
            head("Settings", "default"),
            retired.join(", ")
        ));
        fs::write(self.path("policies/all.yaml"), documents.join("---\n")).unwrap();
        let broken = self.path("policies/broken.yaml");
        if policies.broken {
            fs::write(broken, "kind: [").unwrap();
        } else if broken.exists() {
            fs::remove_file(broken).unwrap();
        }
    }

    /// Every file below a folder, with its bytes.
    pub(super) fn bytes(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(path: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(path).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    let bytes = fs::read(&path).unwrap();
                    found.insert(path, bytes);
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(&self.path(folder), &mut found);
        found
    }
}

fn is_staged(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".amparo-"))
}

/// One of the keys.
fn nth<K: Clone, V>(map: &BTreeMap<K, V>, which: u8) -> Option<K> {
    map.keys().nth(usize::from(which) % map.len().max(1)).cloned()
}

fn change(request: &mut Request, edit: &Edit, now: Timestamp) {
    let fresh = |seed: &u64| Request::new(&mut Dice::new(*seed), now);
    let first = request.blocks.first_mut().unwrap();
    match edit {
        Edit::Identities(seed) => {
            let other = fresh(seed).blocks.remove(0);
            (first.ids, first.both) = (other.ids, other.both);
        }
        Edit::Actions => {
            (first.access, first.delete) = match (first.access, first.delete) {
                (true, true) => (false, true),
                (false, true) => (true, false),
                _ => (true, true),
            };
        }
        Edit::Include(seed) => request.include = fresh(seed).include,
        Edit::Only(seed) => {
            let other = fresh(seed).blocks.remove(0);
            (first.datasets, first.region) = (other.datasets, other.region);
        }
        Edit::Expand => request.expand ^= true,
        Edit::Method => request.purge ^= true,
        Edit::Standing => first.standing ^= true,
        Edit::Accept => first.accept ^= true,
        Edit::Suspend => request.suspend ^= true,
        Edit::Withdraw => request.withdrawn ^= true,
        Edit::Extend(days) => {
            let today = now.to_zoned(TimeZone::UTC).date();
            let days = Span::new().days(i64::from(*days));
            request.extension = Some(today.checked_add(days).unwrap());
        }
        Edit::Block(seed) => {
            let mut other = fresh(seed).blocks.remove(0);
            if request.blocks.len() > 1 {
                request.blocks.pop();
            } else {
                other.key = "K1".to_owned();
                request.blocks.push(other);
            }
        }
        Edit::Break => request.broken ^= true,
    }
}
