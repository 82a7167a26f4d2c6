//! What becomes of a chunk's dictionary: entries that nothing refers to any more go, replacements come
//! in, and where every occurrence of an entry is replaced alike, its place in the dictionary is
//! overwritten, so that the pages that refer to it stay as they are.

use std::collections::{HashMap, HashSet};

use super::decide::{Change, PageEdit};
use super::runs::Step;
use super::snappy::Patch;
use super::values::{Put, Span, Values};

/// A new dictionary.
pub(crate) struct Plan {
    /// The entries; `None` where they stay as they are.
    pub(crate) entries: Option<Values>,
    /// What that does to the plain form.
    pub(crate) patches: Vec<Patch>,
    /// New position of each old entry that is still referred to.
    moved: Vec<u32>,
    /// Whether any of them differs from the old one.
    moves: bool,
    /// Position of each replacement.
    put: HashMap<Vec<u8>, u32>,
}

#[derive(Clone, Copy)]
enum Entry<'a> {
    Old(u32),
    New(&'a [u8]),
    Hole,
}

impl Plan {
    /// Plans from all indices of the chunk and the edits of its dictionary-encoded pages.
    pub(crate) fn new<'a>(
        dictionary: &Values,
        indices: impl Iterator<Item = &'a [u32]>,
        edits: &[&PageEdit],
    ) -> Self {
        let mut left = vec![0_i64; dictionary.len()];
        for index in indices.flatten() {
            left[*index as usize] += 1;
        }
        let mut puts: Vec<(u32, &[u8])> = Vec::new();
        for edit in edits {
            let Values::Indices(indices) = &edit.loaded.values else { continue };
            for change in &edit.changes {
                let old = indices[change.at as usize];
                left[old as usize] -= 1;
                if let Put::Value(value) = &change.put {
                    puts.push((old, value));
                }
            }
        }
        let mut entries: Vec<Entry<'_>> = (0_u32..)
            .zip(&left)
            .map(|(id, left)| if *left > 0 { Entry::Old(id) } else { Entry::Hole })
            .collect();
        let mut placed = place(dictionary, &mut entries, &puts);
        let same = entries.len() == left.len()
            && entries.iter().all(|entry| matches!(entry, Entry::Old(_)));
        let moved = compact(&mut entries);
        for id in placed.values_mut() {
            *id = moved[*id as usize];
        }
        Self {
            patches: patches(dictionary, &entries),
            entries: (!same).then(|| arrange(dictionary, &entries)),
            moves: (0_u32..).zip(&moved).any(|(old, new)| old != *new),
            moved,
            put: placed.into_iter().map(|(value, id)| (value.to_vec(), id)).collect(),
        }
    }

    /// What becomes of the indices of a page.
    pub(crate) fn steps(&self, indices: &[u32], changes: &[Change]) -> Vec<Step> {
        let put = |change: &Change| match &change.put {
            Put::Drop => None,
            Put::Value(value) => Some(self.put.get(value).copied().unwrap_or(0)),
        };
        let stays = |step: &Step| step.1 == indices.get(step.0 as usize).copied();
        let mut changes = changes.iter().map(|change| (change.at, put(change))).peekable();
        if !self.moves {
            return changes.filter(|step| !stays(step)).collect();
        }
        let mut steps = Vec::new();
        for (at, index) in (0_u32..).zip(indices) {
            let moved = (at, Some(self.moved[*index as usize]));
            let step = changes.next_if(|(change, _)| *change == at).unwrap_or(moved);
            if !stays(&step) {
                steps.push(step);
            }
        }
        steps
    }
}

/// Finds places for the replacements: equal entries, then the place of what they replace, then other
/// holes, then the end.
fn place<'a>(
    dictionary: &Values,
    entries: &mut Vec<Entry<'a>>,
    puts: &[(u32, &'a [u8])],
) -> HashMap<&'a [u8], u32> {
    let wanted: HashSet<&'a [u8]> = puts.iter().map(|(_, value)| *value).collect();
    let mut placed: HashMap<&'a [u8], u32> = HashMap::new();
    if wanted.is_empty() {
        return placed;
    }
    for (id, entry) in (0_u32..).zip(entries.iter_mut()) {
        if let Some(value) = wanted.get(dictionary.get(id as usize, None))
            && !placed.contains_key(value)
        {
            *entry = Entry::Old(id);
            placed.insert(value, id);
        }
    }
    for (old, value) in puts {
        let entry = &mut entries[*old as usize];
        if matches!(entry, Entry::Hole) && !placed.contains_key(value) {
            *entry = Entry::New(value);
            placed.insert(value, *old);
        }
    }
    let mut hole = 0;
    for (_, value) in puts {
        if placed.contains_key(value) {
            continue;
        }
        while entries.get(hole).is_some_and(|entry| !matches!(entry, Entry::Hole)) {
            hole += 1;
        }
        match entries.get_mut(hole) {
            Some(entry) => *entry = Entry::New(value),
            None => entries.push(Entry::New(value)),
        }
        placed.insert(value, hole as u32);
    }
    placed
}

/// Fills the holes from the end; gives each entry's new position.
fn compact(entries: &mut Vec<Entry<'_>>) -> Vec<u32> {
    let mut moved: Vec<u32> = (0_u32..).take(entries.len()).collect();
    let mut hole = 0;
    while hole < entries.len() {
        if !matches!(entries[hole], Entry::Hole) {
            hole += 1;
            continue;
        }
        match entries.pop() {
            Some(Entry::Hole) | None => {}
            Some(last) => {
                moved[entries.len()] = hole as u32;
                entries[hole] = last;
            }
        }
    }
    moved
}

/// The change of the plain form: entries that another takes the place of, and what comes or goes at the
/// end.
fn patches(dictionary: &Values, entries: &[Entry<'_>]) -> Vec<Patch> {
    let (head, start) = match dictionary {
        Values::Var { .. } => (4, 0),
        Values::Fixed { start, .. } => (0, *start),
        Values::Indices(_) => return Vec::new(),
    };
    let (mut patches, mut at) = (Vec::new(), start);
    for id in 0..dictionary.len().max(entries.len()) {
        let old = match id < dictionary.len() {
            true => at..at + head + dictionary.get(id, None).len(),
            false => at..at,
        };
        let new = match entries.get(id) {
            Some(Entry::Old(other)) if *other as usize == id => None,
            Some(Entry::Old(other)) => Some(head + dictionary.get(*other as usize, None).len()),
            Some(Entry::New(value)) => Some(head + value.len()),
            Some(Entry::Hole) | None => Some(0),
        };
        at = old.end;
        patches.extend(new.map(|new| (old, new)));
    }
    patches
}

fn arrange(dictionary: &Values, entries: &[Entry<'_>]) -> Values {
    let old = |id: &u32| dictionary.get(*id as usize, None);
    match dictionary {
        Values::Var { bytes, spans } => {
            let mut bytes = bytes.clone();
            let mut arranged = Vec::with_capacity(entries.len());
            for entry in entries {
                match entry {
                    Entry::Old(id) => arranged.extend(spans.get(*id as usize)),
                    Entry::New(value) => {
                        let start = bytes.len() as u32;
                        arranged.push(Span { start, length: value.len() as u32 });
                        bytes.extend_from_slice(value);
                    }
                    Entry::Hole => {}
                }
            }
            Values::Var { bytes, spans: arranged }
        }
        Values::Fixed { width, .. } => {
            let mut bytes = Vec::with_capacity(entries.len() * width);
            for entry in entries {
                match entry {
                    Entry::Old(id) => bytes.extend_from_slice(old(id)),
                    Entry::New(value) => bytes.extend_from_slice(value),
                    Entry::Hole => {}
                }
            }
            Values::Fixed { bytes, start: 0, width: *width, count: entries.len() }
        }
        Values::Indices(_) => dictionary.clone(),
    }
}
