//! Where finished packages lie: `EXPORTS/<request>/<key>.zip` (CONTRACT.md section 3), or `<key>.zip.age` where they
//! are encrypted.
//!
//! Guarantees: an encrypted package never lies in EXPORTS in plain, and no plain one is left in scratch; a published package is complete, durable, 0600 in a folder 0700, and never half there; two
//! keys never share a path; a package is replaced only where the caller says so; an expired one is gone
//! from the disk before anyone records it.
//! Assumptions: one state publishes into one EXPORTS.
//! Crash behaviour: a crash between publishing and recording leaves a package that the ledger knows as
//! intended ([`crate::plan::LedgerView::intended_packages`]).

use std::fs::{File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::digest::sha256;
use super::location::directory;
use super::sealing::encrypt_file;
use super::{Content, LocalDisk, StagedFile, Storage, StoreError};
use crate::model::Name;

/// What an encrypted package's name ends in, behind `.zip`.
const ENCRYPTED: &str = ".age";

/// The longest part of a path that is written in full.
const LONGEST: usize = 200;

/// What stands between a cut name and its digest.
const CUT: &str = "%2D";

/// A package is no symbolic link, and opening a pipe must not wait for its other end.
const NO_LINK: i32 = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).bits().cast_signed();

/// EXPORTS.
#[derive(Debug)]
pub struct Exports {
    /// As the user wrote it: what locations begin with.
    text: String,
    base: PathBuf,
    storage: Box<dyn Storage>,
    /// The age recipients that packages are encrypted to; none: they are not.
    recipients: Vec<String>,
}

/// A finished package in scratch, to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedPackage {
    /// The file.
    pub path: PathBuf,
    /// The request.
    pub request: Name,
    /// The block.
    pub key: String,
    /// SHA-256 of the file, in hex, as it was written.
    pub sha256: String,
    /// Whether an older package of the same task may be replaced.
    pub replace: bool,
}

/// A package that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedPackage {
    /// As `status` shows it and the ledger records it.
    pub location: String,
    /// Digest and size of the file as it lies there.
    pub content: Content,
}

impl Exports {
    /// EXPORTS as a text names it; relative to `base`. Touches nothing.
    ///
    /// # Errors
    /// [`StoreError::Scheme`], [`StoreError::FileUrl`].
    pub fn open(text: &str, base: &Path) -> Result<Self, StoreError> {
        let root = directory(text, base)?;
        let text = match text.strip_suffix('/').unwrap_or(text) {
            "" if text.is_empty() => ".",
            bare => bare,
        };
        let text = text.to_owned();
        let storage = Box::new(LocalDisk::new(root));
        Ok(Self { text, base: base.to_owned(), storage, recipients: Vec::new() })
    }

    /// Encrypts what is published from now on to these age recipients; none: leaves it plain.
    #[must_use]
    pub fn encrypting(self, recipients: &[String]) -> Self {
        Self { recipients: recipients.to_vec(), ..self }
    }

    fn name(&self, request: &Name, key: &str) -> String {
        let plain = package_name(request, key);
        if self.recipients.is_empty() { plain } else { format!("{plain}{ENCRYPTED}") }
    }

    /// Where the package of a block lies: EXPORTS as the user wrote it, then folder and file.
    pub fn location(&self, request: &Name, key: &str) -> String {
        self.location_of(&self.name(request, key))
    }

    /// The same of a package whose folder and file are known.
    pub fn location_of(&self, place: &str) -> String {
        format!("{}/{place}", self.text)
    }

    /// Moves finished packages in, in order, all durable when this returns; encrypts them before, where that is
    /// asked for, and removes the plain ones.
    ///
    /// # Errors
    /// [`StoreError::PackageChanged`] where one is not what was written; [`StoreError::Recipient`];
    /// [`StoreError::Exists`] where a package may not be replaced; [`StoreError::Io`].
    pub fn publish(
        &self,
        packages: &[FinishedPackage],
    ) -> Result<Vec<PublishedPackage>, StoreError> {
        let mut staged = Vec::with_capacity(packages.len());
        let mut published = Vec::with_capacity(packages.len());
        for package in packages {
            let name = self.name(&package.request, &package.key);
            let (path, content) = self.finish(package)?;
            let location = self.location(&package.request, &package.key);
            published.push(PublishedPackage { location, content });
            staged.push(StagedFile { path, name, replace: package.replace });
        }
        self.storage.publish(&staged)?;
        Ok(published)
    }

    /// The file that is to be moved in, and what is in it.
    fn finish(&self, package: &FinishedPackage) -> Result<(PathBuf, Content), StoreError> {
        if !self.recipients.is_empty() {
            return encrypt_file(&package.path, &package.sha256, &self.recipients);
        }
        let content = File::open(&package.path)
            .and_then(super::digest::content_of)
            .map_err(StoreError::io("read", &package.path))?;
        if content.sha256 != package.sha256 {
            return Err(StoreError::PackageChanged { path: package.path.clone() });
        }
        Ok((package.path.clone(), content))
    }

    /// Deletes the package at a recorded location, also where EXPORTS was another place then, and its
    /// folder if nothing else lies there. Whether there was one.
    ///
    /// # Errors
    /// [`StoreError::PackageLocation`], [`StoreError::Io`].
    pub fn delete(&self, location: &str) -> Result<bool, StoreError> {
        let (root, folder, name) = self.resolve(location)?;
        let storage = LocalDisk::new(root);
        let removed = storage.remove(&name)?;
        storage.sweep(&folder)?;
        storage.prune(&folder)?;
        Ok(removed)
    }

    /// Digest and size of the package at a recorded location; `None` where it is gone.
    ///
    /// # Errors
    /// [`StoreError::PackageLocation`], [`StoreError::Io`].
    pub fn content(&self, location: &str) -> Result<Option<Content>, StoreError> {
        let (root, _, name) = self.resolve(location)?;
        LocalDisk::new(root).content(&name)
    }

    /// Opens the package at a recorded location to be read from its beginning, with digest and size of
    /// just these bytes: another that takes its name later is another file. `None` where it is gone.
    ///
    /// # Errors
    /// [`StoreError::PackageLocation`], [`StoreError::Io`].
    pub fn open_package(&self, location: &str) -> Result<Option<(File, Content)>, StoreError> {
        let (root, _, name) = self.resolve(location)?;
        let path = LocalDisk::new(root).path(&name)?;
        let io = |source| StoreError::io("read", &path)(source);
        let mut file = match OpenOptions::new().read(true).custom_flags(NO_LINK).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        if !file.metadata().map_err(io)?.is_file() {
            return Err(io(io::ErrorKind::InvalidInput.into()));
        }
        let content = super::digest::content_of(&file).map_err(io)?;
        file.rewind().map_err(io)?;
        Ok(Some((file, content)))
    }

    /// Removes what a crash left half-copied in the folders of these locations; how many files.
    ///
    /// # Errors
    /// [`StoreError::PackageLocation`], [`StoreError::Io`].
    pub fn sweep<'a>(
        &self,
        locations: impl IntoIterator<Item = &'a str>,
    ) -> Result<usize, StoreError> {
        let mut swept: usize = 0;
        for location in locations {
            let (root, folder, _) = self.resolve(location)?;
            swept = swept.saturating_add(LocalDisk::new(root).sweep(&folder)?);
        }
        Ok(swept)
    }

    /// Root, folder and name of a location.
    fn resolve(&self, location: &str) -> Result<(PathBuf, String, String), StoreError> {
        let parts = || {
            let (rest, file) = location.rsplit_once('/')?;
            let (root, folder) = rest.rsplit_once('/')?;
            let safe = |part: &str| {
                let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-%~".contains(&b);
                part.bytes().all(plain) && !matches!(part, "" | "." | "..")
            };
            let plain = file.strip_suffix(ENCRYPTED).unwrap_or(file);
            let package = plain.ends_with(".zip") && safe(file) && safe(folder);
            package.then_some((if root.is_empty() { "/" } else { root }, folder, file))
        };
        let (root, folder, file) =
            parts().ok_or_else(|| StoreError::PackageLocation { location: location.into() })?;
        let root = directory(root, &self.base)?;
        Ok((root, folder.to_owned(), format!("{folder}/{file}")))
    }
}

/// The path of a package below EXPORTS.
fn package_name(request: &Name, key: &str) -> String {
    let folder = match path_part(request.as_str()).as_str() {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        folder => folder.to_owned(),
    };
    format!("{folder}/{}.zip", path_part(key))
}

/// A text as one part of a path: characters outside `A-Za-z0-9._-` percent-encoded; what is longer than
/// 200 bytes then is cut, to 200 with the `.zip` behind it, and ends in `%2D` and the text's SHA-256 (nothing
/// else encodes `-`, so that a cut name is never another's full one).
fn path_part(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    let mut cut = 0;
    let digest = LONGEST - ".zip".len() - CUT.len() - 64;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        if encoded.len() <= digest {
            cut = encoded.len();
        }
    }
    if encoded.len() > LONGEST || encoded.is_empty() {
        encoded.truncate(cut);
        encoded = format!("{encoded}{CUT}{}", sha256(text.as_bytes()));
    }
    encoded
}

#[cfg(test)]
#[path = "exports_tests.rs"]
mod tests;
