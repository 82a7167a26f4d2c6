//! The chain as it lies in storage: every commit, held against its predecessor and against `head`.

use std::collections::BTreeMap;

use super::commit::{self, Commit, NO_PREV, Unreadable};
use super::fold::Fold;
use super::head::{self, Head};
use crate::store::{Storage, StoreError, in_parallel};

/// How often to read again when somebody writes meanwhile.
const ATTEMPTS: usize = 20;

/// Commits that are read at a time: what they say is folded before the next ones come, so that a long
/// ledger takes no more memory than what it adds up to.
const AT_ONCE: usize = 64;

/// A commit that parses: its digest, and what chains it.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// The number that it says.
    seq: u64,
    prev: String,
    pub(super) head: Head,
}

/// A newest commit that a crash tore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Torn {
    pub(super) name: String,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// By number. Only sound where there are no problems.
    pub(super) commits: Vec<Link>,
    /// What they add up to; as sound as they are.
    pub(super) fold: Fold,
    /// The bytes of `head`.
    pub(super) head_file: Option<Vec<u8>>,
    /// At most one.
    pub(super) torn: Option<Torn>,
    /// What is wrong, by entry; the torn commit is not among them.
    pub(super) problems: Vec<StoreError>,
}

impl Chain {
    /// The newest commit.
    pub(super) fn newest(&self) -> Option<&Head> {
        self.commits.last().map(|link| &link.head)
    }

    /// The chain, if nothing is wrong with it.
    pub(super) fn sound(mut self) -> Result<Self, StoreError> {
        if self.problems.is_empty() { Ok(self) } else { Err(self.problems.remove(0)) }
    }
}

/// Reads everything, again where a pass wrote in the meantime.
pub(super) fn read(storage: &dyn Storage) -> Result<Chain, StoreError> {
    let mut listing = listing(storage)?;
    for _ in 1..ATTEMPTS {
        let chain = read_listed(storage, &listing)?;
        if chain.problems.is_empty() && chain.torn.is_none() {
            return Ok(chain);
        }
        let again = self::listing(storage)?;
        if again == listing {
            return Ok(chain);
        }
        listing = again;
    }
    read_listed(storage, &listing)
}

/// `head` first, so that a commit made in between is newer than it, never missing.
type Listing = (Option<Vec<u8>>, Vec<String>);

fn listing(storage: &dyn Storage) -> Result<Listing, StoreError> {
    Ok((storage.read(head::FILE)?, storage.list(commit::FOLDER)?))
}

fn read_listed(storage: &dyn Storage, listing: &Listing) -> Result<Chain, StoreError> {
    let (head_file, names) = listing;
    let mut chain = Chain { head_file: head_file.clone(), ..Chain::default() };
    let files = numbered(storage, names, &mut chain.problems);
    let newest = files.keys().next_back().copied().unwrap_or(0);
    let head = parse_head(storage, head_file.as_deref(), newest, &mut chain.problems);
    let known = head.as_ref().map_or(0, |head| head.seq);
    let files: Vec<(u64, String)> = files.into_iter().collect();
    let read = files
        .chunks(AT_ONCE)
        .flat_map(|some| in_parallel(0, some, |(seq, name)| read_commit(storage, *seq, name)));
    let mut expected: u64 = 1;
    for ((seq, name), read) in files.iter().zip(read) {
        let seq = *seq;
        if seq > expected {
            chain.problems.push(damaged(storage, expected, "it is missing"));
        }
        expected = seq.saturating_add(1);
        let Some((head, parsed)) = read? else {
            chain.problems.push(damaged(storage, seq, "it is missing"));
            continue;
        };
        match parsed {
            Ok(body) => {
                chain.fold.apply(&body);
                chain.commits.push(Link { seq: body.seq, prev: body.prev, head });
            }
            Err(Unreadable::Torn) if seq == newest && seq > known => {
                chain.torn = Some(Torn { name: name.clone() });
            }
            Err(Unreadable::Torn) => {
                chain.problems.push(damaged(storage, seq, "it is not a commit"));
            }
            Err(Unreadable::Newer { version }) => {
                chain.problems.push(StoreError::Newer { entry: storage.shown(name), version });
            }
            Err(Unreadable::Record { index }) => {
                let what = format!("its record {} cannot be read", index.saturating_add(1));
                chain.problems.push(damaged(storage, seq, what));
            }
        }
    }
    if known > newest {
        let what = "it is missing, and head names it or a later one";
        chain.problems.push(damaged(storage, newest.saturating_add(1), what));
    }
    let broken = breaks(&chain.commits, head.as_ref());
    chain.problems.extend(broken.into_iter().map(|(seq, what)| damaged(storage, seq, what)));
    Ok(chain)
}

/// A commit's file: its digest, and what it says. `None` where it is gone.
type Read = Option<(Head, Result<Commit, Unreadable>)>;

fn read_commit(storage: &dyn Storage, seq: u64, name: &str) -> Result<Read, StoreError> {
    let bytes = storage.read(name)?;
    Ok(bytes.map(|bytes| (Head::of(seq, &bytes), Commit::parse(&bytes))))
}

/// Where the chain does not hold, by number. Between two commits that do not fit, the one at fault is the
/// earlier where something later vouches for the other.
fn breaks(commits: &[Link], head: Option<&Head>) -> BTreeMap<u64, &'static str> {
    let mut found = BTreeMap::new();
    let mut blame = |seq, what| {
        found.entry(seq).or_insert(what);
    };
    for link in commits {
        if head.is_some_and(|head| head.seq == link.head.seq && *head != link.head) {
            blame(link.head.seq, "it is not the commit that head names");
        }
        if link.seq != link.head.seq {
            blame(link.head.seq, "its number is not that of its file");
        }
    }
    if let Some(first) = commits.first().filter(|first| first.head.seq == 1)
        && first.prev != NO_PREV
    {
        blame(1, "it does not begin the chain");
    }
    for (i, pair) in commits.windows(2).enumerate() {
        let [before, after] = pair else { continue };
        let adjacent = before.head.seq.checked_add(1) == Some(after.head.seq);
        if !adjacent || after.prev == before.head.sha256 {
            continue;
        }
        let next = commits.get(i.saturating_add(2));
        let vouched =
            head == Some(&after.head) || next.is_some_and(|next| next.prev == after.head.sha256);
        if vouched {
            blame(before.head.seq, "it is not the commit that the next one follows");
        } else {
            blame(after.head.seq, "it does not follow the commit before it");
        }
    }
    found
}

/// The commit files by number. Other files in the folder (set aside, editors' copies) are not ours;
/// a numbered name that no commit can have is.
fn numbered(
    storage: &dyn Storage,
    names: &[String],
    problems: &mut Vec<StoreError>,
) -> BTreeMap<u64, String> {
    let mut files = BTreeMap::new();
    for name in names {
        let Some(digits) = name.strip_suffix(".json") else { continue };
        if digits.len() != 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            continue;
        }
        let path = format!("{}/{name}", commit::FOLDER);
        match digits.parse() {
            Ok(seq) if seq > 0 => {
                files.insert(seq, path);
            }
            _ => problems.push(StoreError::Damaged {
                entry: storage.shown(&path),
                what: "no commit has this number".to_owned(),
            }),
        }
    }
    files
}

/// `head`, held against the number of the newest commit.
fn parse_head(
    storage: &dyn Storage,
    bytes: Option<&[u8]>,
    newest: u64,
    problems: &mut Vec<StoreError>,
) -> Option<Head> {
    let mut problem = |what: &str| {
        let entry = storage.shown(head::FILE);
        problems.push(StoreError::Damaged { entry, what: what.to_owned() });
    };
    let Some(bytes) = bytes else {
        if newest > 1 {
            problem("it is missing beside several commits");
        }
        return None;
    };
    let head = std::str::from_utf8(bytes).ok().and_then(|text| text.parse::<Head>().ok());
    let head = head.filter(|head| head.seq > 0);
    match &head {
        None => problem("it is not written N:SHA256"),
        Some(head) if newest > head.seq.saturating_add(1) => {
            problem("it is more than one commit behind the newest");
        }
        Some(_) => {}
    }
    head
}

fn damaged(storage: &dyn Storage, seq: u64, what: impl Into<String>) -> StoreError {
    StoreError::Damaged { entry: storage.shown(&commit::file_name(seq)), what: what.into() }
}
