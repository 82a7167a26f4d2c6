//! A real server on a free port, and a client that sends what it is told to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod endpoints;
mod limits;
mod metrics;
mod packages;
mod page;
mod support;
