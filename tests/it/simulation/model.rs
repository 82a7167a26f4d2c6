//! What must be true, by the rules and in memory: no query, no ledger, no file. Written from the rules
//! that requests follow, never from the program.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::people::{Block, Request};
use super::rows::Row;
use super::schema::{Dataset, TENANTS, datasets};

/// A file of the lake: index of its dataset, and its path below the dataset's directory.
pub(super) type FileId = (usize, String);

/// Request, key (absent where the whole file was rejected), action (absent with it).
pub(super) type TaskId = (String, Option<String>, Option<&'static str>);

/// A file of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) rows: Vec<Row>,
    /// It cannot be read for now.
    pub(super) broken: bool,
}

/// A hold in the policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) scope: HoldScope,
    pub(super) until: Option<jiff::civil::Date>,
}

/// What a hold keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HoldScope {
    Dataset(&'static str),
    Field(&'static str, &'static str),
    Request(String),
}

/// What stands on the disk beside the lake.
#[derive(Debug, Clone, Default)]
pub(super) struct Policies {
    /// A policy file cannot be read for now.
    pub(super) broken: bool,
    /// Fields that get their `DEL-*` label later have it.
    pub(super) wide: bool,
    pub(super) holds: BTreeMap<String, Hold>,
    pub(super) retired: BTreeSet<String>,
    /// The dataset [`TENANTS`] has no policy for now.
    pub(super) no_tenants: bool,
}

/// What the ledger should know of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    /// What the task is.
    pub(super) print: String,
    pub(super) phase: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) received: Timestamp,
    pub(super) due: Timestamp,
    pub(super) finished: Option<Timestamp>,
    /// Replacements of one life agree with each other, and with those of no other.
    pub(super) life: u64,
    /// What it names, as compared.
    pub(super) given: BTreeSet<(String, String)>,
    /// What it is narrowed to.
    pub(super) scope: String,
    /// What its expansion found, while it is not done.
    pub(super) remembered: BTreeSet<(String, String)>,
    /// Something was erased for it in an earlier pass, while it is not done.
    pub(super) began: bool,
    /// Person rows and device rows, as counted when it was completed.
    pub(super) rows: Option<(u64, u64)>,
    /// Rows changed.
    pub(super) erased: Option<u64>,
    /// Nobody can know how many rows: another writer replaced a file between its erasure and the pass that
    /// would have counted it, or a pass that meant to do all of it was cut off, and came back to rows.
    pub(super) miscounted: bool,
    /// Rows that have been counted, by file, while it is not done; whether the pass that did it foresaw that
    /// it would come back.
    pub(super) counted: BTreeMap<FileId, BTreeMap<usize, bool>>,
}

impl Known {
    /// Counts rows of a file that a pass changes; how many were not counted before.
    pub(super) fn count(&mut self, file: &FileId, rows: &BTreeSet<usize>, comes_back: bool) -> u64 {
        let counted = self.counted.entry(file.clone()).or_default();
        let again: Vec<bool> = rows.iter().filter_map(|row| counted.get(row).copied()).collect();
        self.miscounted |= again.contains(&false);
        for row in rows {
            counted.entry(*row).or_insert(comes_back);
        }
        if !comes_back {
            counted.values_mut().for_each(|foreseen| *foreseen = false);
        }
        (rows.len() - again.len()) as u64
    }

    /// Rows of a file are gone: those behind them move up.
    pub(super) fn close_up(&mut self, file: &FileId, gone: &BTreeSet<usize>) {
        if let Some(counted) = self.counted.get_mut(file) {
            *counted = std::mem::take(counted)
                .into_iter()
                .filter(|(row, _)| !gone.contains(row))
                .map(|(row, foreseen)| (row - gone.range(..row).count(), foreseen))
                .collect();
        }
    }

    pub(super) fn is_final(&self) -> bool {
        matches!(self.phase, "Complete" | "Rejected" | "Cancelled")
    }
}

/// A delete that was not done when its request became another, or was rejected.
#[derive(Debug, Clone)]
pub(super) struct Interrupted {
    pub(super) given: BTreeSet<(String, String)>,
    pub(super) remembered: BTreeSet<(String, String)>,
    /// What it was narrowed to.
    pub(super) scope: String,
    pub(super) began: bool,
    pub(super) life: u64,
}

/// A package that should be there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Package {
    pub(super) task: TaskId,
    pub(super) expires: Timestamp,
    /// `datasets` of its `profile.json`, rows sorted by their text.
    pub(super) datasets: serde_json::Value,
}

/// Everything.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) schema: Vec<Dataset>,
    pub(super) now: Timestamp,
    pub(super) files: BTreeMap<FileId, File>,
    pub(super) policies: Policies,
    pub(super) requests: BTreeMap<String, Request>,
    pub(super) known: BTreeMap<TaskId, Known>,
    /// By what the task was then.
    pub(super) interrupted: BTreeMap<TaskId, BTreeMap<String, Interrupted>>,
    pub(super) seen: BTreeMap<String, Timestamp>,
    pub(super) holds_seen: BTreeSet<String>,
    /// The ledger knows of [`TENANTS`].
    pub(super) tenants_seen: bool,
    /// By request and key.
    pub(super) packages: BTreeMap<(String, String), Package>,
    pub(super) lives: u64,
}

impl Model {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            schema: datasets(),
            now,
            files: BTreeMap::new(),
            policies: Policies::default(),
            requests: BTreeMap::new(),
            known: BTreeMap::new(),
            interrupted: BTreeMap::new(),
            seen: BTreeMap::new(),
            holds_seen: BTreeSet::new(),
            tenants_seen: false,
            packages: BTreeMap::new(),
            lives: 0,
        }
    }

    /// The tasks, for a failure's message.
    pub(super) fn listed(&self) -> String {
        let task = |((request, key, action), known): (&TaskId, &Known)| {
            let (key, action) = (key.as_deref().unwrap_or("-"), action.unwrap_or("-"));
            format!("\n  {request}/{key} {action}: {} {:?}", known.phase, known.reason)
        };
        self.known.iter().map(task).collect()
    }

    /// Datasets of which some file cannot be read, or that have none and must.
    pub(super) fn unreadable(&self) -> BTreeSet<usize> {
        let of = |index: usize| self.files.iter().filter(move |((d, _), _)| *d == index);
        self.datasets()
            .filter(|(index, dataset)| {
                of(*index).any(|(_, file)| file.broken)
                    || !dataset.may_be_empty && of(*index).next().is_none()
            })
            .map(|(index, _)| index)
            .collect()
    }

    /// The datasets that have a policy.
    pub(super) fn datasets(&self) -> impl Iterator<Item = (usize, &Dataset)> {
        let gone = self.policies.no_tenants;
        self.schema.iter().enumerate().filter(move |(_, d)| !gone || d.name != TENANTS)
    }

    /// Datasets and holds that the ledger knows and that are gone without being let go.
    pub(super) fn policies_gone(&self) -> bool {
        let tenants = self.tenants_seen && self.policies.no_tenants;
        tenants && !self.policies.retired.contains(TENANTS)
            || self.holds_seen.iter().any(|name| {
                !self.policies.holds.contains_key(name) && !self.policies.retired.contains(name)
            })
    }

    /// The holds in force today.
    pub(super) fn holds(&self) -> Vec<&Hold> {
        let today = self.now.to_zoned(TimeZone::UTC).date();
        self.policies
            .holds
            .values()
            .filter(|hold| hold.until.is_none_or(|until| today < until))
            .collect()
    }

    /// When a request was received, and when it is due.
    pub(super) fn dates(&self, name: &str, request: &Request) -> (Timestamp, Timestamp) {
        let received = request.received.or_else(|| self.seen.get(name).copied());
        let received = received.unwrap_or(self.now);
        // Timestamps in the files are cut to the second.
        if let Some(until) = request.extension {
            return (received, until.to_zoned(TimeZone::UTC).unwrap().timestamp());
        }
        let zoned = received.to_zoned(TimeZone::UTC);
        let days = |days: i64| zoned.checked_add(Span::new().days(days)).unwrap();
        let due = match request.regulation {
            Some("gdpr") => zoned.checked_add(Span::new().months(1)).unwrap(),
            Some("ccpa") => days(45),
            Some("lgpd_bra") => days(15),
            Some("nzpa_nzl") => {
                let (mut day, mut working) = (zoned.clone(), 0);
                while working < 20 {
                    day = day.tomorrow().unwrap();
                    let weekday = day.weekday().to_monday_one_offset();
                    working += u32::from(weekday <= 5);
                }
                day
            }
            _ => days(30),
        };
        (received, due.timestamp())
    }

    /// Why a block is rejected, if it is: a value cannot be what it says, or it narrows itself by a field
    /// that none of its datasets lets be used so.
    pub(super) fn rejected(&self, request: &Request, block: &Block) -> Option<&'static str> {
        if !block.named().all(|(namespace, value)| *namespace != "email" || value.contains('@')) {
            return Some("ValueFormat");
        }
        let nowhere = !self.datasets().any(|(index, _)| self.allows(request, block, index));
        (block.region.is_some() && nowhere).then_some("Invalid")
    }

    /// Whether a block's `only` and its request's `include` allow a dataset.
    pub(super) fn allows(&self, request: &Request, block: &Block, dataset: usize) -> bool {
        let dataset = &self.schema[dataset];
        request.include.as_ref().is_none_or(|products| products.contains(&dataset.product))
            && block.datasets.as_ref().is_none_or(|names| names.contains(&dataset.name))
            && (block.region.is_none() || dataset.fields.iter().any(|f| f.selectable))
    }
}

/// What a task is: only a change in this opens it again.
/// What a block is narrowed to.
pub(super) fn scope(request: &Request, block: &Block) -> String {
    let include = request.include.as_ref().map(|i| i.iter().collect::<BTreeSet<_>>());
    format!("{include:?} {:?} {:?}", block.datasets, block.region)
}

pub(super) fn print(request: &Request, block: &Block) -> String {
    let ids: BTreeSet<_> = block.ids.iter().collect();
    let include = request.include.as_ref().map(|i| i.iter().collect::<BTreeSet<_>>());
    format!(
        "{ids:?} {:?} {include:?} {:?} {:?} {} {}",
        block.both, block.datasets, block.region, request.expand, request.purge
    )
}
