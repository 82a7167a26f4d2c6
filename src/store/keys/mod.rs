//! `STATE/keys/`: the deployment key, and the keys of unfinished deletes with what their expansion found.
//!
//! Guarantees: a key file is 0600 in a folder 0700, made create-only, durable before anyone relies on
//! it, and shown by no `Debug`. A task's key is named by a digest that tells nothing of a person. What a
//! task remembers is sealed with its key: once the key is destroyed, no copy of the sealed file (a backup, old
//! blocks of the disk) can be read again, and no pseudonym can be made or linked again.
//! Assumptions: whoever may read the folder may know the keys: the seal protects what outlives them, not
//! what lies beside them. See [`super::LocalDisk`] for what overwriting reaches.
//! Crash behaviour: the sealed file is there before the key, and goes after it; one without a key
//! belongs to nothing that was begun, and is made anew. A key without its sealed file is damage.

mod deployment;
mod hmac_key;
mod line;
mod seal;

pub use deployment::DeploymentKey;
pub use hmac_key::hmac_key;

use std::collections::BTreeSet;

use super::digest::{random, sha256, unhex};
use super::encoding::{Decoder, encode, put, put_count};
use super::{NewFile, Storage, StoreError};
use crate::model::{
    Identity, IdentityTerm, NamespaceName, Only, Request, Sensitive, TaskId, UserBlock,
};
use line::Kind;

/// The folder.
pub(super) const FOLDER: &str = "keys";

/// The name of a task's key: SHA-256 of the task and its (keyed) fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskKeyName(String);

/// The secrets of an unfinished delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskKey {
    /// What its pseudonyms are made with.
    pub pseudonyms: Sensitive<[u8; 32]>,
    /// The identities that its expansion has found so far.
    pub found: Vec<Identity>,
    /// What the request named then: [`term`] of each of the block's identities. Empty where nobody knows.
    pub given: Vec<Sensitive<String>>,
    /// Where it was to be erased then: [`scope`].
    pub scope: Sensitive<String>,
}

/// What is sealed with a task's key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remembered {
    /// As [`TaskKey::found`].
    pub found: Vec<Identity>,
    /// As [`TaskKey::given`].
    pub given: Vec<Sensitive<String>>,
    /// As [`TaskKey::scope`].
    pub scope: Sensitive<String>,
}

/// One text for what a block is narrowed to.
pub fn scope(request: &Request, block: &UserBlock) -> Sensitive<String> {
    let Only { datasets, sources, r#where } = &block.only;
    let fields = r#where.iter().map(|(field, value)| (field.to_string(), value.expose()));
    let include = request.include.as_ref().map(|products| {
        products.iter().map(|product| product.as_str().to_lowercase()).collect::<BTreeSet<_>>()
    });
    let fields: Vec<_> = fields.collect();
    Sensitive::new(format!("{include:?} {datasets:?} {sources:?} {fields:?}"))
}

/// One text for an entry of a block's identities, whatever the order of its parts.
pub fn term(term: &IdentityTerm) -> Sensitive<String> {
    let part = |identity: &Identity| {
        let (name, value) = (identity.namespace.folded(), identity.canonical.expose());
        format!("{}:{name}={}:{value}", name.len(), value.len())
    };
    let mut parts: Vec<String> = term.parts().iter().map(part).collect();
    parts.sort();
    Sensitive::new(parts.join("&"))
}

/// The keys of a state.
#[derive(Debug, Clone, Copy)]
pub struct KeyStore<'a> {
    storage: &'a dyn Storage,
}

impl TaskKeyName {
    /// The name for a task of that fingerprint.
    pub fn of(task: &TaskId, fingerprint: &str) -> Self {
        let key = task.key.as_deref().unwrap_or_default();
        let action = task.action.map_or("", crate::model::Action::as_str);
        let parts = [task.request.as_str(), key, action, fingerprint];
        Self(sha256(&encode(&parts.map(str::as_bytes))))
    }

    fn key_file(&self) -> String {
        format!("{FOLDER}/{}.key", self.0)
    }

    fn sealed_file(&self) -> String {
        format!("{FOLDER}/{}.found", self.0)
    }
}

impl<'a> KeyStore<'a> {
    /// The keys in that storage.
    pub fn new(storage: &'a dyn Storage) -> Self {
        Self { storage }
    }

    /// The deployment key; `None` where there is none, or where this process may not read it (`plan` in
    /// CI): digests over identities are then unknown.
    ///
    /// # Errors
    /// [`StoreError::KeyDamaged`], [`StoreError::Io`].
    pub fn deployment(&self) -> Result<Option<DeploymentKey>, StoreError> {
        deployment::load(self.storage)
    }

    /// The deployment key, made now if `fresh` says that nothing rests on one yet.
    ///
    /// # Errors
    /// [`StoreError::DeploymentKeyGone`] where something does; as [`KeyStore::deployment`].
    pub fn deployment_or_make(&self, fresh: bool) -> Result<DeploymentKey, StoreError> {
        deployment::load_or_make(self.storage, fresh)
    }

    /// The key of a task; `None` where it has none.
    ///
    /// # Errors
    /// [`StoreError::KeyDamaged`], [`StoreError::Io`].
    pub fn load(&self, name: &TaskKeyName) -> Result<Option<TaskKey>, StoreError> {
        let path = name.key_file();
        let Some(bytes) = self.storage.read(&path)? else { return Ok(None) };
        let damaged =
            |path: &str, what| StoreError::KeyDamaged { path: self.storage.shown(path), what };
        let key = line::parse(Kind::Task, &bytes).map_err(|what| damaged(&path, what))?;
        let path = name.sealed_file();
        let sealed = self.storage.read(&path)?;
        let sealed = sealed.ok_or_else(|| damaged(&path, "it is missing beside its key"))?;
        let opened = seal::open(&key, name.0.as_bytes(), &sealed)
            .ok_or_else(|| damaged(&path, "it was not sealed with its key"))?;
        let Remembered { found, given, scope } =
            decode(&opened).ok_or_else(|| damaged(&path, "it holds no list of identities"))?;
        Ok(Some(TaskKey { pseudonyms: Sensitive::new(key), found, given, scope }))
    }

    /// What is missing of a task's secrets, where only what was sealed with its key is there. Of a task for which
    /// something was destroyed, the key was lost.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn without_key(&self, name: &TaskKeyName) -> Result<Option<String>, StoreError> {
        let (key, sealed) = (name.key_file(), name.sealed_file());
        let lost = self.storage.read(&key)?.is_none() && self.storage.read(&sealed)?.is_some();
        let shown = |path: &str| self.storage.shown(path);
        Ok(lost.then(|| format!("{} is missing beside {}", shown(&key), shown(&sealed))))
    }

    /// Makes the keys of tasks that have none, each with what the task's expansion has found, all
    /// durable when this returns. Nothing of these tasks may be destroyed before.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where a task has a key already; [`StoreError::Random`], [`StoreError::Io`].
    pub fn create(&self, tasks: &[(TaskKeyName, Remembered)]) -> Result<Vec<TaskKey>, StoreError> {
        let mut made = Vec::with_capacity(tasks.len());
        let mut sealed = Vec::with_capacity(tasks.len());
        let mut lines = Vec::with_capacity(tasks.len());
        for (name, remembered) in tasks {
            let key: [u8; 32] = random()?;
            let path = name.key_file();
            if self.storage.read(&path)?.is_some() {
                return Err(StoreError::Exists { path: self.storage.shown(&path) });
            }
            self.storage.remove(&name.sealed_file())?;
            sealed.push((name.sealed_file(), seal_found(&key, name, remembered)?));
            lines.push((path, line::format(Kind::Task, &key)));
            let Remembered { found, given, scope } = remembered.clone();
            made.push(TaskKey { pseudonyms: Sensitive::new(key), found, given, scope });
        }
        self.storage.create(&new_files(&sealed))?;
        self.storage.create(&new_files(&lines))?;
        Ok(made)
    }

    /// Remembers what the expansion of a task has found by now, in place of what was remembered.
    ///
    /// # Errors
    /// [`StoreError::Changed`] where another writer came; [`StoreError::Io`].
    pub fn remember(&self, name: &TaskKeyName, key: &TaskKey) -> Result<(), StoreError> {
        let path = name.sealed_file();
        let old = self.storage.read(&path)?;
        let TaskKey { found, given, scope, .. } = key.clone();
        let remembered = Remembered { found, given, scope };
        let new = seal_found(key.pseudonyms.expose(), name, &remembered)?;
        self.storage.replace(&path, old.as_deref(), &new)
    }

    /// Destroys keys and what was sealed with them. Absent ones are no error.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn destroy(&self, names: &[TaskKeyName]) -> Result<(), StoreError> {
        let files = |file: fn(&TaskKeyName) -> String| names.iter().map(file).collect::<Vec<_>>();
        self.storage.destroy(&files(TaskKeyName::key_file))?;
        self.storage.destroy(&files(TaskKeyName::sealed_file))
    }

    /// The tasks that have a key or a sealed file, by name.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn list(&self) -> Result<Vec<TaskKeyName>, StoreError> {
        let name = |file: &String| {
            let stem = file.strip_suffix(".key").or_else(|| file.strip_suffix(".found"))?;
            unhex::<32>(stem).map(|_| TaskKeyName(stem.to_owned()))
        };
        let names: BTreeSet<_> = self.storage.list(FOLDER)?.iter().filter_map(name).collect();
        Ok(names.into_iter().collect())
    }

    /// Destroys every task key but these: a crash between an outcome and the destruction left the others.
    /// How many they were.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn destroy_all_but(&self, keep: &BTreeSet<TaskKeyName>) -> Result<usize, StoreError> {
        let mut left = self.list()?;
        left.retain(|name| !keep.contains(name));
        self.destroy(&left)?;
        Ok(left.len())
    }
}

fn new_files(files: &[(String, Vec<u8>)]) -> Vec<NewFile<'_>> {
    files.iter().map(|(name, bytes)| NewFile { name, bytes }).collect()
}

fn seal_found(
    key: &[u8; 32],
    name: &TaskKeyName,
    remembered: &Remembered,
) -> Result<Vec<u8>, StoreError> {
    let mut plain = Vec::new();
    put_count(&mut plain, remembered.found.len());
    for identity in &remembered.found {
        put(&mut plain, identity.namespace.as_str().as_bytes());
        put(&mut plain, identity.given.expose().as_bytes());
        put(&mut plain, identity.canonical.expose().as_bytes());
    }
    put_count(&mut plain, remembered.given.len());
    for given in &remembered.given {
        put(&mut plain, given.expose().as_bytes());
    }
    put(&mut plain, remembered.scope.expose().as_bytes());
    seal::seal(key, name.0.as_bytes(), &plain)
}

fn decode(bytes: &[u8]) -> Option<Remembered> {
    let mut decoder = Decoder(bytes);
    let count = decoder.count()?;
    let mut found = Vec::new();
    for _ in 0..count {
        let namespace = NamespaceName::new(&decoder.text()?)?;
        let given = Sensitive::new(decoder.text()?);
        let canonical = Sensitive::new(decoder.text()?);
        found.push(Identity { namespace, given, canonical });
    }
    let mut remembered = Remembered { found, ..Remembered::default() };
    // An older form ends here.
    if !decoder.0.is_empty() {
        let count = decoder.count()?;
        for _ in 0..count {
            remembered.given.push(Sensitive::new(decoder.text()?));
        }
        remembered.scope = Sensitive::new(decoder.text()?);
    }
    decoder.0.is_empty().then_some(remembered)
}

#[cfg(test)]
mod tests;
