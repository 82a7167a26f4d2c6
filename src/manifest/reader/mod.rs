//! A typed view of a mapping: takes keys out one by one and reports everything that is wrong with it.
//!
//! Guarantees: of a request file no word is quoted, and lines pass through the mask that
//! [`Report::request`] was given. Every method reports what it refuses, so a `None` needs no further
//! diagnostic, except from [`Fields::get`].

mod fields;
mod report;
mod values;
mod words;

pub use fields::Fields;
pub use report::{Problem, Report};
pub use values::{Text, date, entries, flag, integer, list, not_one_of, text, wrong_type};
pub use words::{alternatives, did_you_mean};

#[cfg(test)]
mod tests;
