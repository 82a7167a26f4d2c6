//! The search against the rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod oracle;
mod property;
mod random;
mod worked_example;
