//! What things are: the vocabulary of data-subject requests, as plain values.
//!
//! Guarantees: nothing in here does I/O, reads a clock or draws a random number. Values that identify
//! a person are wrapped in [`Sensitive`], which cannot be printed or serialised by accident.

mod approval;
mod catalog;
mod dataset;
mod erase;
mod fieldpath;
mod hex;
mod hold;
mod identity;
mod label;
mod leaf;
mod name;
mod namespace;
mod regulation;
mod request;
mod role;
mod sensitive;
mod settings;
mod task;

pub use approval::{Approval, EffectId};
pub use catalog::Catalog;
pub use dataset::{Dataset, DeleteDefaults, Environment, EraseMode, Field, Unlabelled};
pub use erase::{EraseMethod, EraseRule};
pub use fieldpath::FieldPath;
pub use hex::hex;
pub use hold::{Hold, HoldScope};
pub use identity::{Identity, IdentityTerm, Origin as IdentityOrigin, Part, Veil, VeiledTerm};
pub use label::{Label, Labels};
pub use leaf::{Key, Leaf, LeafType, TimeUnit, canonical_bytes};
pub use name::{Name, NameError, Position, Product};
pub use namespace::{
    Expansion, HARD_CODED, Namespace, NamespaceName, Normalize, WELL_KNOWN, well_known_id,
};
pub use regulation::{Deadline, Regulation};
pub use request::{Action, DeleteMethod, Extension, Only, Request, UserBlock};
pub use role::{Granted, Person, Personal, Role, STARS, Sight, TELLING, grant, most_restricted};
pub use sensitive::{Sensitive, holds_secret_key, without_secret_keys};
pub use settings::{
    CompanyContext, CookieExpansion, Ignored, KeySource, Limits, Sealing, Settings,
};
pub use task::{Phase, Reason, TaskId};
