//! Durable bytes: ledger, keys, packages, scratch, and the lock that lets one pass at a time write.
//!
//! [`Storage`] is the one seam to the medium; everything else here is written against it and is told from
//! a crash at any point (`testing::FaultyStorage` tries them all). [`StateDir`] is where to begin.

mod digest;
mod encoding;
mod error;
mod exports;
mod filesystem;
mod fingerprint;
mod keys;
mod ledger;
mod local;
mod location;
mod lock;
mod machine;
mod out_dir;
mod parallel;
mod person;
mod scratch;
mod sealing;
mod seen;
mod state;
mod storage;
#[cfg(test)]
pub(crate) mod testing;
mod user_file;

pub(crate) use digest::sha256;
pub use error::StoreError;
pub use exports::{Exports, FinishedPackage, PublishedPackage};
pub use filesystem::is_local;
pub use fingerprint::fingerprint;
pub use keys::{DeploymentKey, KeyStore, Remembered, TaskKey, TaskKeyName, hmac_key, scope, term};
pub use ledger::{
    Head, HeadError, Ledger, LedgerReport, LedgerWarning, LookedAt, Looker, Record, verify_ledger,
};
pub use local::LocalDisk;
pub use location::directory;
pub use lock::{PassLock, Waits};
pub use out_dir::{OutDir, StagedDir};
pub use parallel::in_parallel;
pub use person::person;
pub use scratch::Scratch;
pub use sealing::{Identities, create_key, encrypt, encrypt_file, open_file};
pub(crate) use seen::is_settled;
pub use seen::{KeptFooters, Look, Seen};
pub use state::{OpenState, State, StateDir};
pub use storage::{Content, NewFile, StagedFile, Storage};
pub use user_file::replace_file;
