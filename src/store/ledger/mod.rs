//! The ledger: what was asked, begun, done and destroyed, as a chain of commits (CONTRACT.md section 3).
//!
//! Guarantees: a commit that [`Ledger::append`] returned for is never lost; two writers cannot win one number;
//! an edited, removed or reordered commit is found. Nothing in it identifies a person: records hold
//! names, counts, dates and keyed digests.
//! Assumptions: [`Storage::create`] is create-only; the pass lock keeps other
//! writers away, and create-only numbers catch those that it does not see.
//! Crash behaviour: between commit and `head`: the next pass moves `head` on. A torn commit is set
//! aside by the next pass, never deleted, and reported.

mod chain;
mod commit;
mod fold;
mod head;
mod records;
mod verify;

pub use head::{Head, HeadError};
pub use records::{LookedAt, Looker, Record};
pub use verify::{LedgerReport, verify_ledger};

use jiff::Timestamp;

use super::{NewFile, Storage, StoreError};
use crate::plan::LedgerView;
use chain::Chain;
use fold::Fold;

/// The ledger as of its newest commit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    head: Option<Head>,
    fold: Fold,
}

/// What was odd about a ledger that could be read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerWarning {
    /// A newest commit that does not parse and that `head` does not know: torn by a crash.
    Torn {
        /// The file.
        entry: String,
        /// Where it was set aside; `None`: it still lies there, since nothing may be written.
        set_aside: Option<String>,
    },
}

impl std::fmt::Display for LedgerWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Torn { entry, set_aside: Some(aside) } => {
                write!(f, "ledger entry {entry} was torn by a crash; set aside as {aside}")
            }
            Self::Torn { entry, set_aside: None } => {
                write!(f, "ledger entry {entry} was torn by a crash; the next pass sets it aside")
            }
        }
    }
}

impl Ledger {
    /// Reads the ledger without writing anything; no ledger is an empty one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] or [`StoreError::Newer`], naming the first entry at fault;
    /// [`StoreError::Io`].
    pub fn load(storage: &dyn Storage) -> Result<(Self, Vec<LedgerWarning>), StoreError> {
        let chain = chain::read(storage)?.sound()?;
        let warnings = chain
            .torn
            .iter()
            .map(|torn| LedgerWarning::Torn { entry: storage.shown(&torn.name), set_aside: None });
        let warnings = warnings.collect();
        Ok((Self::of(chain), warnings))
    }

    /// Reads the ledger for a pass, which holds the lock: sets a torn commit aside, and moves `head` on
    /// where a crash kept it behind.
    ///
    /// # Errors
    /// As [`Ledger::load`].
    pub fn recover(storage: &dyn Storage) -> Result<(Self, Vec<LedgerWarning>), StoreError> {
        let chain = chain::read(storage)?.sound()?;
        let mut warnings = Vec::new();
        if let Some(torn) = &chain.torn {
            let aside = free_name(storage, &torn.name)?;
            storage.rename(&torn.name, &aside)?;
            warnings.push(LedgerWarning::Torn {
                entry: storage.shown(&torn.name),
                set_aside: Some(storage.shown(&aside)),
            });
        }
        if let Some(head) = chain.newest()
            && chain.head_file.as_deref() != Some(head.line().as_bytes())
        {
            storage.replace(head::FILE, chain.head_file.as_deref(), head.line().as_bytes())?;
        }
        Ok((Self::of(chain), warnings))
    }

    fn of(chain: Chain) -> Self {
        Self { head: chain.newest().cloned(), fold: chain.fold }
    }

    /// The newest commit; `None` where there is none.
    pub const fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// What all records add up to.
    pub const fn view(&self) -> &LedgerView {
        self.fold.view()
    }

    /// Writes one commit with these records, then `head`. Without records nothing is written.
    /// After an error this ledger is as it was, and must be read again: the commit may be there.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another writer made that number first; [`StoreError::Io`].
    pub fn append(
        &mut self,
        storage: &dyn Storage,
        records: Vec<Record>,
        time: Timestamp,
    ) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let body = commit::Commit::after(self.head.as_ref(), records, time);
        let bytes = body.to_bytes();
        let name = commit::file_name(body.seq);
        storage.create(&[NewFile { name: &name, bytes: &bytes }]).map_err(|error| match error {
            StoreError::Exists { .. } => StoreError::Conflict { seq: body.seq },
            other => other,
        })?;
        let head = Head::of(body.seq, &bytes);
        let old = self.head.as_ref().map(Head::line);
        let old = old.as_deref().map(str::as_bytes);
        storage.replace(head::FILE, old, head.line().as_bytes()).map_err(|error| match error {
            StoreError::Changed { .. } => StoreError::Conflict { seq: body.seq },
            other => other,
        })?;
        self.fold.apply(&body);
        self.head = Some(head);
        Ok(())
    }
}

/// A name beside a torn commit under which nothing lies yet.
fn free_name(storage: &dyn Storage, name: &str) -> Result<String, StoreError> {
    let taken = storage.list(commit::FOLDER)?;
    let file = name.rsplit('/').next().unwrap_or(name);
    let free = (0..=taken.len())
        .map(|n| if n == 0 { format!("{file}.torn") } else { format!("{file}.torn.{n}") })
        .find(|candidate| !taken.contains(candidate));
    Ok(format!("{}/{}", commit::FOLDER, free.unwrap_or_else(|| format!("{file}.torn"))))
}

#[cfg(test)]
mod fold_tests;
#[cfg(test)]
mod tests;
