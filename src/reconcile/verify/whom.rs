//! Whether a completed erasure can be looked at again: what the requests say today of whom it was about.

use crate::manifest::source::SourceKind;
use crate::model::{Action, Reason, Request, TaskId, UserBlock, Veil, VeiledTerm};
use crate::plan::{TaskState, unread};
use crate::store::{DeploymentKey, fingerprint};

use super::super::gather::Texts;

/// Whom an erasure was about.
pub(super) enum Whom<'a> {
    /// The block says it, as it did when the erasure was completed.
    Known(&'a Request, &'a UserBlock),
    /// Nobody can look, and nothing is wrong: the request is gone, or what opens it lies elsewhere.
    Apart(String),
    /// The request is there, and it cannot be told all the same.
    Unclear(String),
}

/// The requests of today.
pub(super) struct Requests<'a> {
    requests: &'a [Request],
    key: Option<&'a DeploymentKey>,
    /// A file that does not even tell whose it is: any request may stand in it.
    unread: Option<String>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(
        requests: &'a [Request],
        texts: &Texts,
        key: Option<&'a DeploymentKey>,
    ) -> Self {
        let special = texts.special.iter().find(|(_, kind)| *kind == SourceKind::Request);
        let rejected = requests.iter().find(|request| request.rejected.is_some() && !request.named);
        let unread = rejected
            .map(|request| request.position.file.clone())
            .or_else(|| special.map(|(path, _)| path.clone()));
        Self { requests, key, unread }
    }

    /// Whom the erasure was about, which the ledger has as `state`.
    pub(super) fn whom(&self, id: &TaskId, state: &TaskState) -> Whom<'a> {
        let Some(request) = self.requests.iter().find(|request| request.name == id.request) else {
            return match &self.unread {
                None => Whom::Apart("the request is gone".to_owned()),
                Some(file) => Whom::Unclear(format!(
                    "the request is gone, or stands in {file}, which is not valid: `amparo check` says why"
                )),
            };
        };
        if request.rejected.is_some() {
            let why = "the request is not valid today: `amparo check` says why";
            return Whom::Unclear(why.to_owned());
        }
        let block = request.users.iter().find(|block| Some(&block.key) == id.key.as_ref());
        let Some(block) = block else {
            return Whom::Apart("the request no longer has the block".to_owned());
        };
        if let Some(reason) = block.rejected {
            return Whom::Unclear(invalid(reason).to_owned());
        }
        if let Some(why) = unread(block) {
            return if self.is_locked(block) { Whom::Apart(why) } else { Whom::Unclear(why) };
        }
        let today = self.key.and_then(|key| fingerprint(key, request, block, Action::Delete));
        if today.is_some_and(|today| today != state.fingerprint) {
            let why = "the request, or the rules of its namespaces, have changed since it was completed: whom \
                       it was about can no longer be told; the next `apply` takes it as a new task";
            return Whom::Unclear(why.to_owned());
        }
        Whom::Known(request, block)
    }

    /// Whether all that is missing is a key that others have.
    fn is_locked(&self, block: &UserBlock) -> bool {
        block.veiled.iter().flat_map(VeiledTerm::veils).any(|veil| match veil {
            Veil::Sealed => true,
            Veil::Digest(_) => self.key.is_none(),
            Veil::Absent(_) | Veil::Unclear(..) => false,
        })
    }
}

fn invalid(reason: Reason) -> &'static str {
    match reason {
        Reason::ValueFormat => {
            "the block is not valid today, a value is not formatted correctly: `amparo check` says why"
        }
        _ => "the block is not valid today: `amparo check` says why",
    }
}
