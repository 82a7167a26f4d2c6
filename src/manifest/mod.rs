//! Text → model + diagnostics.

pub mod tree;
