//! The deployment key: every digest that covers an identity is an HMAC under it (CONTRACT.md section 3).

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::line::{self, Kind};
use super::seal;
use crate::model::{NamespaceName, Sensitive, hex};
use crate::store::digest::{random, unhex, unhex_all};
use crate::store::encoding::encode;
use crate::store::{NewFile, Storage, StoreError};

/// The file.
const FILE: &str = "keys/deployment";

/// 32 random bytes, made at first use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentKey(Sensitive<[u8; 32]>);

impl DeploymentKey {
    /// Hex HMAC-SHA256 of a list of parts. `domain` says what kind of thing they are: equal bytes of two
    /// kinds have unrelated digests.
    pub fn digest(&self, domain: &str, parts: &[&[u8]]) -> String {
        hex(&self.mac(domain, parts))
    }

    /// The first half of [`DeploymentKey::digest`], as bytes: for what there is much of.
    pub(crate) fn short_digest(&self, domain: &str, parts: &[&[u8]]) -> [u8; 16] {
        let [half, _] = *self.mac(domain, parts).as_chunks::<16>().0 else { return [0; 16] };
        half
    }

    fn mac(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = vec![b"amparo/v1".as_slice(), domain.as_bytes()];
        all.extend_from_slice(parts);
        hmac_sha256(self.0.expose(), &[&encode(&all)])
    }

    /// Whether a digest that somebody else presents is [`DeploymentKey::digest`] of these parts; it takes
    /// as long for one that is nearly right as for one that is all wrong.
    pub fn vouches(&self, domain: &str, parts: &[&[u8]], digest: &str) -> bool {
        let Some(digest) = unhex::<32>(digest) else { return false };
        let mut all = vec![b"amparo/v1".as_slice(), domain.as_bytes()];
        all.extend_from_slice(parts);
        mac(self.0.expose(), &[&encode(&all)]).verify_slice(&digest).is_ok()
    }

    /// The digest of an identity, from its canonical value: what stands in fingerprints, and in a request in place
    /// of the value.
    pub fn identity(&self, namespace: &NamespaceName, canonical: &Sensitive<String>) -> String {
        let namespace = namespace.folded().as_bytes();
        self.digest("identity", &[namespace, canonical.expose().as_bytes()])
    }

    /// The digest of a request file's bytes.
    pub fn request(&self, bytes: &[u8]) -> String {
        self.digest("request", &[bytes])
    }

    /// The digest of a data file's full path, whose partitions may name a person.
    pub fn file(&self, path: &Path) -> String {
        self.digest("file", &[path.as_os_str().as_bytes()])
    }

    /// The digest of a data file's footer, given by its SHA-256: its statistics hold values, and a plain
    /// digest would tell whether a guessed one was among them.
    pub fn footer(&self, sha256: &str) -> String {
        self.digest("footer", &[sha256.as_bytes()])
    }

    /// Seals bytes that only whoever has the key may read, in hex. `name` says what they are about: they
    /// open under the same only.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn seal(&self, name: &[&[u8]], plain: &[u8]) -> Result<String, StoreError> {
        Ok(hex(&seal::seal(self.0.expose(), &encode(name), plain)?))
    }

    /// What [`DeploymentKey::seal`] made under this name; `None` for anything else.
    pub fn unseal(&self, name: &[&[u8]], sealed: &str) -> Option<Vec<u8>> {
        seal::open(self.0.expose(), &encode(name), &unhex_all(sealed)?)
    }
}

/// HMAC-SHA256 over the parts, joined.
pub(super) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    mac(key, parts).finalize().into_bytes().into()
}

/// The same, unfinished: to compare in constant time.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    let (start, _) = block.split_at_mut(key.len());
    start.copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac
}

pub(super) fn load(storage: &dyn Storage) -> Result<Option<DeploymentKey>, StoreError> {
    let bytes = match storage.read(FILE) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(None),
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let damaged = |what| StoreError::KeyDamaged { path: storage.shown(FILE), what };
    let key = line::parse(Kind::Deployment, &bytes).map_err(damaged)?;
    Ok(Some(DeploymentKey(Sensitive::new(key))))
}

pub(super) fn load_or_make(
    storage: &dyn Storage,
    fresh: bool,
) -> Result<DeploymentKey, StoreError> {
    if let Some(key) = load(storage)? {
        return Ok(key);
    }
    if !fresh {
        return Err(StoreError::DeploymentKeyGone { path: storage.shown(FILE) });
    }
    let key = random()?;
    storage.create(&[NewFile { name: FILE, bytes: &line::format(Kind::Deployment, &key) }])?;
    Ok(DeploymentKey(Sensitive::new(key)))
}
