//! The search against the rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod composites;
mod conflicts;
mod expansion;
mod oracle;
mod property;
mod random;
mod values;
mod worked_example;
