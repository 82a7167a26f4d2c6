//! One pass: gather → search → plan → apply → record. `plan`, `apply` and the daemon are the same pass; it is level-triggered, so running it twice does nothing the second time.
//!
//! Guarantees: nothing is written before everything was read and checked; intent is in the ledger
//! before a package is published or a byte destroyed, the outcome after; all access of a pass comes
//! before all erasure.
//! Assumptions: one pass at a time on one state (the lock holds it).
//! Crash behaviour: whatever was recorded is done, whatever was not is done by the next pass.

mod advice;
mod against;
mod apply;
mod board;
mod carry_out;
mod clock;
mod counted;
mod coverage;
mod digests;
mod drift;
mod erase;
mod error;
mod events;
mod exit;
mod export;
mod find;
mod gather;
mod grounds;
pub mod http;
mod inputs;
mod ledger_now;
mod link;
mod measure;
mod meters;
mod outcome;
mod pass;
mod publish;
mod record;
mod recover;
mod retire;
mod roles;
mod saved;
mod seal;
mod search;
mod settled;
mod sources;
mod status;
mod stop;
mod verify;
mod view;
mod watch;
mod workspace;

pub use against::{Base, plan_against};
pub use apply::{AppliedTask, ApplyReport, Approval, apply};
pub use board::{Attendance, Board};
pub use clock::Clock;
pub use drift::Drift;
pub use error::{PassError, chain};
pub use events::{Event, Events, Measured, Silent};
pub use exit::Verdict;
pub use find::{FindReport, FoundBreakdown, FoundDataset, find};
pub use gather::{CheckReport, CheckScope, check};
pub use inputs::InputFiles;
pub use ledger_now::LedgerNow;
pub use link::{LinkReport, link};
pub use pass::{PlanReport, plan};
pub use publish::{PublishReport, PublishRequest, publish};
pub use retire::{RetireReport, retire};
pub use saved::SavedPlan;
pub use seal::{SealReport, seal_file, seal_values};
pub use status::{StatusReport, StatusTask, history, status};
pub use stop::{Signal, Stop};
pub use verify::{Canaries, ErasureState, TodayDataset, VerifyReport, verify};
pub use view::{ViewReport, ViewRequest, ViewedColumn, ViewedDataset, view};
pub use watch::{Observer, POLL, PassEnd, TURN, WatchOptions, watch};
pub use workspace::{Tries, Workspace};
