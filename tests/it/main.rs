//! The real binary on real files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod access_rules;
mod approvals;
mod bad_data;
mod bad_files;
mod ci;
mod commands;
mod coverage;
mod crashes;
mod deletes;
mod desired;
mod documents;
mod drift;
mod editors;
mod encrypted;
mod erased_once;
mod http;
mod idle;
mod interrupted;
mod lost_key;
mod no_space;
mod odd_names;
mod others;
mod outputs;
mod own_types;
mod pasted_keys;
mod pipes;
mod planted;
mod regressions;
mod requests;
mod retired;
mod retries;
mod roles;
mod sealing;
mod simulation;
mod support;
mod time;
mod transcripts;
mod verified;
mod watch;
mod wide;
mod worked_example;
mod zoo;
