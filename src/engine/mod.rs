//! Everything that touches the data: inventory, find, fetch, packages, erasure.
//!
//! The engine carries out; it decides nothing. What it is asked for comes as plain values of
//! [`crate::plan`], and what it answers are plain values too.

mod error;
pub mod fetch;

pub use error::EngineError;
