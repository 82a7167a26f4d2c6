//! # amparo
//!
//! A declarative batch reconciler for data-subject requests (access and erasure under GDPR, CCPA, LGPD)
//! over Parquet. Policies say which columns identify whom, what may be shown and what must go; request
//! files say whose data is wanted or must be forgotten; amparo makes the data agree with the files.
//!
//! This page is the map of the code. What requests mean and what users rely on stands in the user
//! documentation (`README.md`, `docs/`).
//!
//! ## The way data flows
//!
//! ```text
//! policies/  requests/                          lake (Parquet)                 state/
//!     │          │                                   │                           │
//!     ▼          ▼                                   ▼                           ▼
//!  manifest: text → Catalog + diagnostics     inventory: files, footers      ledger view: what is done
//!     └───────────────┬──────────────────────────────┴───────────────────────────┤
//!                     ▼                                                          │
//!             find: ONE scan per dataset, for all open tasks                     │
//!             identities → (file, row, block, why); expansion repeats it         │
//!                     ▼                                                          │
//!             plan: pure; immutable; exact; nothing left to decide               │
//!                     ▼                                                          │
//!    access: rows → packages ──▶ erase: splice → stage → prove → swap ──▶ record ┘
//! ```
//!
//! Every arrow goes one way. A pass is level-triggered: it re-reads everything, compares with the
//! ledger, and does what is missing; running it twice does nothing the second time.
//!
//! ## The layers
//!
//! Each may use only those to its left ([`diagnostic`] is open to all); `tests/layers.rs` holds it.
//!
//! `model ← manifest ← plan ← store ← engine ← reconcile ← render ← cli`
//!
//! | layer | what lives there | where to begin |
//! | --- | --- | --- |
//! | [`model`] | what things are: labels, namespaces, datasets, requests, tasks; [`model::Sensitive`] | [`model::Catalog`], [`model::Request`] |
//! | [`manifest`] | text → model + diagnostics; the only layer that knows YAML | [`manifest::load`] |
//! | [`plan`] | pure planning: the search as a step machine, the draft, the plan, the guard; the coverage lint | [`plan::Search`], [`plan::draft`], [`plan::finish`] |
//! | [`store`] | durable bytes: ledger, keys, packages, what passes have seen, the lock | [`store::StateDir`] |
//! | [`engine`] | DataFusion, Arrow, Parquet: inventory, find, fetch, packages, erasure, samples | [`engine::Engine`] |
//! | [`reconcile`] | one pass; the daemon's loop, board and HTTP endpoints | [`reconcile::plan`], [`reconcile::apply`], [`reconcile::http`] |
//! | [`render`] | reports → text, JSON, Markdown, SARIF, JUnit XML, annotations | [`render::plan_report_human`] |
//! | [`cli`] | one file a command; the table of exit codes | [`cli::error`] |
//!
//! ## Invariants
//!
//! - An identity or a cell value stands in request files and packages, and nowhere else: no plan, ledger
//!   entry, log, error or temporary file outside the scratch directory holds one.
//! - What cannot be read or judged fails the tasks that need it, by name; it never means "nothing found".
//! - A policy with an error stops a pass before anything is written.
//! - Intent is in the ledger before anything is destroyed, the outcome after.
//! - All access of a pass comes before all erasure.
//! - Planning is deterministic: the same input gives the same plan, byte for byte.

pub mod cli;
pub mod diagnostic;
pub mod engine;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod reconcile;
pub mod render;
pub mod store;
