//! Where the identity values of a request file stand: for those who replace them.

use crate::manifest::tree::Mark;
use crate::model::{Identity, Name, NamespaceName};

/// One identity value of a file.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The request's name.
    pub request: String,
    /// The namespace.
    pub namespace: NamespaceName,
    /// Where the key stands.
    pub key: Mark,
    /// Where the value stands.
    pub value: Mark,
    /// What stands there.
    pub given: Given,
}

/// How a value is given.
#[derive(Debug, Clone)]
pub enum Given {
    /// Plain.
    Plain(Identity),
    /// Sealed; the identity where it was opened.
    Sealed(Option<Identity>),
    /// By its digest.
    Digest,
}

impl Spot {
    /// The request's name; `None` where it has none that is valid.
    pub fn request(&self) -> Option<Name> {
        Name::new(&self.request).ok()
    }
}
