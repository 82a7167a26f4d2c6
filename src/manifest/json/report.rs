//! Faults as diagnostics.

use super::{FaultKind, Parsed};
use crate::manifest::codes::files::{NOT_UTF8, TOO_LARGE, TOO_MANY};
use crate::manifest::codes::request::JSON_SYNTAX;
use crate::manifest::reader::Report;

impl Parsed {
    /// Reports every fault as an error; [`Report::hidden`] is the report for it.
    pub fn report(&self, report: &mut Report<'_>) {
        for fault in &self.faults {
            let code = match fault.kind {
                FaultKind::NotUtf8 | FaultKind::Utf16 => NOT_UTF8,
                FaultKind::TooLarge | FaultKind::TooDeep | FaultKind::TooManyValues => TOO_LARGE,
                FaultKind::More => TOO_MANY,
                _ => JSON_SYNTAX,
            };
            report.error(code, fault.at, fault.message()).help(fault.help());
        }
    }
}
