//! amparo
pub mod diagnostic;
pub mod manifest;
pub mod model;
pub mod plan;
