//! Settings (CONTRACT.md section 1).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Deadline, Name, NamespaceName, Position, Regulation};

/// One hop, or the closure, from cookie to cookie (RULES.md section 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CookieExpansion {
    /// Step 2 once.
    #[default]
    OneHop,
    /// Step 2 until nothing is added.
    Fixpoint,
}

/// Safety limits (RULES.md section 6).
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// User blocks a request; at most 1000.
    pub users_per_request: usize,
    /// Identities a block; at most 9.
    pub ids_per_user: usize,
    /// Rounds of link expansion.
    pub max_hops: u32,
    /// Identity conflicts a task may have.
    pub max_conflicts: u64,
    /// Identities that expansion may add to a task.
    pub max_expanded_ids: u64,
    /// Matched rows of a task.
    pub max_rows_per_user: u64,
    /// Share of a dataset's rows that one task may touch; counts over 10,000 rows.
    pub max_fraction_erased: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            users_per_request: 1000,
            ids_per_user: 9,
            max_hops: 8,
            max_conflicts: 0,
            max_expanded_ids: 1000,
            max_rows_per_user: 1_000_000,
            max_fraction_erased: 0.1,
        }
    }
}

impl Limits {
    /// The same, but for what stops single tasks: nothing does.
    #[must_use]
    pub fn lifted(&self) -> Self {
        Self {
            max_hops: u32::MAX,
            max_conflicts: u64::MAX,
            max_expanded_ids: u64::MAX,
            max_rows_per_user: u64::MAX,
            max_fraction_erased: 1.0,
            ..self.clone()
        }
    }
}

/// Where an `hmac` key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file, relative to the working directory.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// How identities of requests are sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sealing {
    /// The age recipients (`age1…`) that can open them; checked, each once.
    pub recipients: Vec<String>,
    /// A plain identity in a request is an error.
    pub required: bool,
}

/// One organisation of the controller's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyContext {
    /// Such as `imsOrgID`.
    pub namespace: NamespaceName,
    /// The organisation.
    pub value: String,
}

/// A place that `check --root` leaves out, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// File, directory, glob or URL, as the policy writes it.
    pub location: String,
    /// Why no dataset covers it.
    pub reason: String,
    /// Where the entry starts.
    pub position: Position,
}

/// The one Settings document, or its defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Ledger, keys, plans.
    pub state: String,
    /// Packages.
    pub exports: String,
    /// How long a package lives, in days, from when it was compiled.
    pub export_retention_days: u32,
    /// What pseudonyms of strings start with.
    pub pseudonym_prefix: String,
    /// One hop or fixpoint.
    pub cookie_expansion: CookieExpansion,
    /// Deadlines that differ from the law's.
    pub deadlines: BTreeMap<Regulation, Deadline>,
    /// Safety limits.
    pub limits: Limits,
    /// Keys of `hmac` methods.
    pub keys: BTreeMap<String, KeySource>,
    /// Own organisations; empty: any is accepted.
    pub company_contexts: Vec<CompanyContext>,
    /// Datasets and holds that are let go.
    pub retired: BTreeSet<Name>,
    /// Sealed identities.
    pub sealing: Sealing,
    /// The age recipients that packages are encrypted to; empty: packages are not encrypted.
    pub package_recipients: Vec<String>,
    /// A delete runs only where an Approval names what it would do.
    pub approval_required: bool,
    /// Places that no dataset covers on purpose.
    pub coverage_ignored: Vec<Ignored>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            state: "state".to_owned(),
            exports: "exports".to_owned(),
            export_retention_days: 14,
            pseudonym_prefix: "Privacy-".to_owned(),
            cookie_expansion: CookieExpansion::default(),
            deadlines: BTreeMap::new(),
            limits: Limits::default(),
            keys: BTreeMap::new(),
            company_contexts: Vec::new(),
            retired: BTreeSet::new(),
            sealing: Sealing::default(),
            package_recipients: Vec::new(),
            approval_required: false,
            coverage_ignored: Vec::new(),
        }
    }
}

impl Settings {
    /// The deadline of a regulation: the override, else the law's; 30 days without one.
    pub fn deadline(&self, regulation: Option<&Regulation>) -> Deadline {
        regulation.map_or(Deadline::Days(30), |r| {
            self.deadlines.get(r).copied().unwrap_or_else(|| r.deadline())
        })
    }

    /// Prefixes by which a value is known as erased: ours, and those seen in the field.
    pub fn erased_prefixes(&self) -> [&str; 4] {
        [&self.pseudonym_prefix, "Privacy-", "GDPR-", "Data Privacy-"]
    }
}
