//! The coverage lint of `check --data`: personal data that the policies have not seen.
//!
//! Columns whose names or sampled values look like personal data and that no label covers; ID fields that no
//! request can reach; data below a root that no dataset covers. All of it is warnings: planning and applying
//! do not look at any of it.
//!
//! Guarantees: findings hold counts and the names of columns, never a value.

mod likeness;
mod look;
mod names;
mod personal;
mod root;
mod tally;
#[cfg(test)]
mod tests;
mod unreached;

pub use likeness::Likeness;
pub use names::Hint;
pub use personal::{Survey, SurveyLeaf, personal, to_survey};
pub use root::{RootLook, Uncovered, UncoveredKind, uncovered};
pub use tally::{LONGEST, Tally};
pub use unreached::unreached;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::Position;

fn warning(code: Code, at: &Position, message: String, help: String) -> Diagnostic {
    Diagnostic {
        code,
        severity: Severity::Warning,
        position: at.clone(),
        length: 0,
        source: None,
        message,
        help: Some(help),
    }
}

/// A number as people read it: `1,024`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
