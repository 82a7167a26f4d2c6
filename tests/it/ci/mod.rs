//! What CI systems are given: formats, annotations, comparisons, and the ready-made integrations.

mod base;
mod bounds;
mod examples;
mod formats;
mod read_only;
mod runner;
mod scene;
mod schema;
mod shell;
mod xml;

pub(crate) use formats::inert_markdown;
