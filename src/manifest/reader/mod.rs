//! A typed view of a mapping: takes keys out one by one and reports everything that is wrong with it.
//!
//! Guarantees: of a request file no word is quoted, and lines pass through the mask that
//! [`Report::request`] was given. Every method reports what it refuses, so a `None` needs no further
//! diagnostic, except from [`Fields::get`].

mod fields;
mod report;
mod words;

pub use fields::{Fields, Text, date, flag, integer, list, text};
pub use report::{Problem, Report};
pub use words::{alternatives, did_you_mean};

#[cfg(test)]
mod tests;
