#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cells;
mod holds;
mod limits;
mod oracle;
mod phases;
mod worked_example;
