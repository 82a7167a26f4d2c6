//! Text → model + diagnostics.
//!
//! Guarantees: no I/O, no clock. Whatever the bytes of a file, reading them ends with values and
//! diagnostics, never with a panic. A diagnostic about a request file quotes no word of it, and shows
//! its lines masked (CONTRACT.md section 1).

mod approval;
pub mod codes;
pub mod edit;
pub mod envelope;
pub mod json;
mod load;
pub mod mask;
pub mod policy;
pub mod reader;
pub mod request;
pub mod schema;
pub mod sealed;
pub mod source;
pub mod tree;
pub mod yaml;

pub use approval::approvals;
pub use load::{FileCounts, Loaded, load, load_at, load_opened, not_regular};
