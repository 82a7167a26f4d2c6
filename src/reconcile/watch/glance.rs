//! A cheap look at what a pass rests on: whether anything is different from what the last pass saw.

use sha2::{Digest, Sha256};

use crate::reconcile::gather::Texts;
use crate::reconcile::{PassError, Workspace};

/// What policies and requests were at one moment.
pub(super) struct Glance {
    pub(super) texts: Texts,
    pub(super) stamp: [u8; 32],
}

impl Glance {
    /// Reads policies and requests.
    ///
    /// # Errors
    /// [`PassError::Sources`].
    pub(super) fn take(workspace: &Workspace) -> Result<Self, PassError> {
        let texts = Texts::read(workspace)?;
        let mut hash = Sha256::new();
        for (kind, files) in [(0_u8, &texts.policies), (1, &texts.requests)] {
            for file in files {
                hash.update([kind]);
                for part in [file.path.as_bytes(), file.bytes.as_slice()] {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
            }
        }
        Ok(Self { texts, stamp: hash.finalize().into() })
    }
}
