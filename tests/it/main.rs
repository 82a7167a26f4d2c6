//! The real binary on real files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod access_rules;
mod bad_data;
mod ci;
mod commands;
mod crashes;
mod deletes;
mod drift;
mod erased_once;
mod idle;
mod http;
mod others;
mod own_types;
mod planted;
mod requests;
mod retries;
mod support;
mod transcripts;
mod worked_example;
mod zoo;
