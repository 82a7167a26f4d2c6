//! Safety limits of a task (RULES.md section 6).

use crate::model::{Limits, Name, Phase, Reason};

use super::Standing;

/// Datasets up to that many rows have no limit on the fraction.
const SMALL_DATASET: u64 = 10_000;

/// Holds the matched rows of a task against `maxRowsPerUser`.
pub(super) fn rows(limits: &Limits, matched: u64) -> Option<Standing> {
    let most = limits.max_rows_per_user;
    (matched > most).then(|| {
        let message = format!("{matched} rows match, more than maxRowsPerUser ({most})");
        Standing::new(Phase::Blocked, Reason::LimitExceeded, message)
    })
}

/// Holds the share of one dataset that a task touches against `maxFractionErased`.
pub(super) fn fraction(
    limits: &Limits,
    dataset: &Name,
    touched: u64,
    rows: u64,
) -> Option<Standing> {
    let most = limits.max_fraction_erased;
    // Row counts are far below 2^53.
    #[allow(clippy::cast_precision_loss)]
    let beyond = rows > SMALL_DATASET && touched as f64 > most * rows as f64;
    beyond.then(|| {
        let message = format!(
            "{touched} of {rows} rows of dataset {dataset}, more than maxFractionErased ({most})"
        );
        Standing::new(Phase::Blocked, Reason::LimitExceeded, message)
    })
}
