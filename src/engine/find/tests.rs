#![allow(clippy::unwrap_used, clippy::expect_used)]

mod columns;
mod hostile;
mod naive;
mod sets;
