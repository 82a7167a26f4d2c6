//! Links to packages: who has one may fetch that package, until the link ends.
//!
//! Guarantees: a link names one package by its place and digest, and its end; it is an HMAC under the
//! deployment key, so that nobody without the key can make one, move its end, or turn it to another
//! package. A package that is compiled again has another digest: links to the old one are over.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::{Action, Phase, TaskId};
use crate::plan::PackageRecord;
use crate::store::{DeploymentKey, Exports};

use super::{LedgerNow, PassError, Workspace};

/// What else the deployment key signs has other domains.
const DOMAIN: &str = "package-link";

/// Where packages lie below the daemon's address.
const ROOT: &str = "/packages/";

/// A package, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    /// Folder and file below EXPORTS, as they are on the disk.
    pub(super) place: String,
    /// SHA-256 of the package.
    pub(super) sha256: String,
    /// The link ends then.
    pub(super) expires_at: Timestamp,
}

impl Link {
    /// The path and query that fetch the package.
    pub(super) fn target(&self, key: &DeploymentKey) -> String {
        self.written(&key.digest(DOMAIN, &self.parts().each_ref().map(String::as_bytes)))
    }

    /// The link that a path and query are, if they are one and the key signed it.
    pub(super) fn of(path: &str, query: &str, key: &DeploymentKey) -> Option<Self> {
        let place = decoded(path.strip_prefix(ROOT)?)?;
        let [expires, digest, signature] = parameters(query)?;
        let expires_at = Timestamp::from_second(expires.parse().ok()?).ok()?;
        let link = Self { place, sha256: digest.to_owned(), expires_at };
        let parts = link.parts();
        let vouched = key.vouches(DOMAIN, &parts.each_ref().map(String::as_bytes), signature);
        // One link has one spelling.
        (vouched && link.written(signature) == format!("{path}?{query}")).then_some(link)
    }

    fn parts(&self) -> [String; 3] {
        [self.place.clone(), self.sha256.clone(), self.expires_at.as_second().to_string()]
    }

    fn written(&self, signature: &str) -> String {
        let Self { place, sha256, expires_at } = self;
        let expires = expires_at.as_second();
        let place = place.replace('%', "%25");
        format!("{ROOT}{place}?expires={expires}&digest={sha256}&signature={signature}")
    }
}

/// The values of the three parameters of a link, in their order.
fn parameters(query: &str) -> Option<[&str; 3]> {
    let mut parts = query.split('&');
    let mut next = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
    let values = [next("expires")?, next("digest")?, next("signature")?];
    parts.next().is_none().then_some(values)
}

/// Names of packages hold `%` and nothing else that a path would have to encode.
fn decoded(path: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-~/%".contains(&b);
    let whole =
        path.bytes().all(plain) && path.split('%').skip(1).all(|rest| rest.starts_with("25"));
    whole.then(|| path.replace("%25", "%"))
}

/// A link that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkReport {
    /// The request.
    pub request: String,
    /// The block.
    pub key: String,
    /// Who has this may fetch the package.
    pub url: String,
    /// The link ends then.
    pub expires_at: Timestamp,
    /// Where the package lies.
    pub package: String,
    /// SHA-256 of the package.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// It goes over a network in clear.
    #[serde(skip)]
    pub in_clear: bool,
}

/// Makes a link to the package of `REQUEST/KEY`, below the base URL of the daemon or of a proxy before it.
/// It ends with the package, or after `lasts` if that is earlier.
///
/// # Errors
/// [`PassError::Argument`] where the ledger knows no such block, or the base is no URL;
/// [`PassError::NoLink`] where there is no package to fetch; the state cannot be read.
pub fn link(
    workspace: &Workspace,
    wanted: &str,
    base: &str,
    lasts: Option<Duration>,
) -> Result<LinkReport, PassError> {
    let base = base_url(base)?;
    if lasts.is_some_and(|lasts| lasts.is_zero()) {
        return Err(PassError::Argument {
            what: "a link that ends at once is none".to_owned(),
            hint: "give --for a time such as 2h".to_owned(),
        });
    }
    let (request, block) = wanted.split_once('/').ok_or_else(|| PassError::Argument {
        what: format!("{wanted:?} names no package"),
        hint: "write REQUEST/KEY, as `amparo status` shows them".to_owned(),
    })?;
    let ledger = LedgerNow::read(workspace)?;
    let package = package(&ledger, request, block, workspace.clock.now())?;
    let no_link = |why: &str| PassError::NoLink {
        block: wanted.to_owned(),
        why: why.to_owned(),
        hint: "`amparo verify` says more; a package that is gone cannot be linked to".to_owned(),
    };
    let exports = Exports::open(&ledger.exports, ".".as_ref())?;
    match exports.content(&package.location)? {
        None => return Err(no_link("its file is gone")),
        Some(content) if content.sha256 != package.sha256 => {
            return Err(no_link("its file is not what was compiled"));
        }
        Some(_) => {}
    }
    let key = ledger.state.deployment_key()?.ok_or_else(|| PassError::NoLink {
        block: wanted.to_owned(),
        why: "this user may not read the deployment key, which signs links".to_owned(),
        hint: "run it as the user that the daemon runs as".to_owned(),
    })?;
    let ends = lasts.and_then(|lasts| workspace.clock.now().checked_add(lasts).ok());
    let link = Link {
        place: place(&package.location)
            .ok_or_else(|| PassError::Bug("a package without a folder".to_owned()))?
            .to_owned(),
        sha256: package.sha256.clone(),
        expires_at: ends.map_or(package.expires_at, |ends| ends.min(package.expires_at)),
    };
    Ok(LinkReport {
        request: request.to_owned(),
        key: block.to_owned(),
        url: format!("{base}{}", link.target(&key)),
        expires_at: link.expires_at,
        package: package.location.clone(),
        sha256: package.sha256.clone(),
        bytes: package.bytes,
        in_clear: in_clear(base),
    })
}

/// Folder and file of a recorded location.
pub(super) fn place(location: &str) -> Option<&str> {
    let file = location.rfind('/')?;
    let folder = location.get(..file)?.rfind('/')?;
    location.get(folder.checked_add(1)?..)
}

fn base_url(text: &str) -> Result<&str, PassError> {
    let bare = text.trim_end_matches('/');
    let rest = ["https://", "http://"].iter().find_map(|scheme| bare.strip_prefix(scheme));
    let plain = |c: char| c.is_ascii_graphic() && !"?#@\"<>\\^`{|}".contains(c);
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && rest.chars().all(plain) => {
            Ok(bare)
        }
        _ => Err(PassError::Argument {
            what: "the base URL must be http:// or https:// with a host, and at most a path"
                .to_owned(),
            hint: "for instance --base-url https://privacy.example.com".to_owned(),
        }),
    }
}

/// Whether what goes there can be read on its way: HTTP that leaves this machine.
fn in_clear(base: &str) -> bool {
    let Some(rest) = base.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let local = ["localhost", "127.0.0.1", "[::1]"];
    let here = |host: &str| {
        authority.strip_prefix(host).is_some_and(|port| port.is_empty() || port.starts_with(':'))
    };
    !local.into_iter().any(here)
}

/// The package of a block, if it can be fetched.
fn package<'a>(
    ledger: &'a LedgerNow,
    request: &str,
    block: &str,
    now: Timestamp,
) -> Result<&'a PackageRecord, PassError> {
    let of_block =
        |id: &&TaskId| id.request.as_str() == request && id.key.as_deref() == Some(block);
    let tasks = &ledger.view.tasks;
    if !tasks.keys().any(|id| of_block(&id)) {
        return Err(PassError::Argument {
            what: format!("the ledger knows no block {:?}", format!("{request}/{block}")),
            hint: "`amparo status` lists what it knows".to_owned(),
        });
    }
    let access = |id: &&TaskId| of_block(id) && id.action == Some(Action::Access);
    let task = tasks.iter().find(|(id, _)| access(id)).map(|(_, state)| state);
    let package = task.and_then(|task| task.package.as_ref());
    let why = match (task, package) {
        (_, Some(package)) if !package.expired && package.expires_at > now => return Ok(package),
        (_, Some(package)) => format!("it expired at {}", package.expires_at),
        (None, _) => "access was not asked for".to_owned(),
        (Some(task), None) => match task.reason {
            Some(reason) => format!("the access task is {} ({reason})", task.phase),
            None => format!("the access task is {}", task.phase),
        },
    };
    let hint = match task.map(|task| task.phase) {
        Some(Phase::Complete) if package.is_some() => {
            "ask for access again under a new key: a request that is done is not done twice"
        }
        Some(Phase::Complete) => "nothing was found: there is nothing to hand out",
        Some(Phase::Rejected) => "`amparo check` shows what is wrong",
        Some(_) => "the next pass may make it: `amparo status` says where it stands",
        None => "the block's `action` must name access",
    };
    let block = format!("{request}/{block}");
    Err(PassError::NoLink { block, why, hint: hint.to_owned() })
}
