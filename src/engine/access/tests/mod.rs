//! Tests of packages: golden files, hostile values, a naive packager, spills.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod files;
mod hostile;
mod naive;
mod robust;
mod support;
mod types;
