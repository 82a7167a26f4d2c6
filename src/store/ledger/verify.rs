//! `verify`: whether the ledger is what was written, all that is wrong at once.

use super::Head;
use super::chain::{self, Chain};
use crate::store::{Storage, StoreError};

/// What `verify` says of the ledger.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerReport {
    /// Commits that can be read.
    pub entries: u64,
    /// The newest of them.
    pub head: Option<Head>,
    /// Whether nothing is wrong.
    pub intact: bool,
    /// What is wrong, each naming its entry; a torn commit included, until a pass sets it aside.
    pub problems: Vec<String>,
}

/// Reads the whole chain and reports. With `expected`, the commit of that number must be the one of
/// that digest: the ledger may have grown since.
///
/// # Errors
/// [`StoreError::Io`]: whatever else is wrong is in the report.
pub fn verify_ledger(
    storage: &dyn Storage,
    expected: Option<&Head>,
) -> Result<LedgerReport, StoreError> {
    let chain = chain::read(storage)?;
    let mut problems: Vec<String> = chain.problems.iter().map(ToString::to_string).collect();
    problems.extend(chain.torn.iter().map(|torn| {
        format!(
            "{} does not parse: torn by a crash; the next pass sets it aside",
            storage.shown(&torn.name)
        )
    }));
    problems.extend(expected.and_then(|expected| differs(&chain, expected)));
    Ok(LedgerReport {
        entries: chain.commits.len() as u64,
        head: chain.newest().cloned(),
        intact: problems.is_empty(),
        problems,
    })
}

fn differs(chain: &Chain, expected: &Head) -> Option<String> {
    let found = chain.commits.iter().find(|link| link.head.seq == expected.seq);
    match found {
        Some(link) if link.head == *expected => None,
        Some(link) => {
            Some(format!("ledger entry {} is {}, not {expected}", expected.seq, link.head))
        }
        None => Some(format!("ledger entry {} is gone: {expected} was expected", expected.seq)),
    }
}
