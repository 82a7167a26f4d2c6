//! What a probe asks, as digests: each of them one question that a file answers by yes or no.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::bits::Bits;
use super::table::Table;
use crate::model::{Key, Leaf, Normalize};
use crate::plan::{Hit, IdentityId, Probe, ProbeLeaf};
use crate::store::DeploymentKey;
use crate::store::encoding::{encode, put, put_count};

/// A question, under the deployment key.
pub(super) type Question = [u8; 16];

/// The version of the search: to be raised with every change in what it finds.
const SEARCH: u32 = 1;

/// More questions at once are not remembered: so many tasks do not come back in every pass.
const MOST: usize = 16_384;

/// The questions of one probe.
#[derive(Debug)]
pub(super) struct Asked {
    questions: Vec<Question>,
    /// Whether an identity is in a leaf.
    alone: HashMap<(u16, IdentityId), usize>,
    /// Whether a row holds all of a set.
    all_of: Vec<(Vec<IdentityId>, usize)>,
    /// Their numbers in the table, by position.
    numbers: Vec<u32>,
    mask: Bits,
}

impl Asked {
    pub(super) fn of(key: &DeploymentKey, leaves: &[Leaf], probe: &Probe) -> Self {
        let mut asked = Self {
            questions: Vec::new(),
            alone: HashMap::new(),
            all_of: Vec::new(),
            numbers: Vec::new(),
            mask: Bits::default(),
        };
        let size: usize = probe.leaves.iter().map(|leaf| leaf.keys.len()).sum();
        if size + probe.all_of.len() > MOST {
            asked.questions.resize(MOST + 1, Question::default());
            return asked;
        }
        // By identity: a part of a set is met where any of these is.
        let mut parts: BTreeMap<IdentityId, BTreeSet<Question>> = BTreeMap::new();
        for probed in &probe.leaves {
            let Some(leaf) = leaves.get(usize::from(probed.leaf)) else { continue };
            let column = column(leaf, probed);
            for (value, identity) in &probed.keys {
                let question = key.short_digest("seen-value", &[&column, &bytes(value)]);
                parts.entry(*identity).or_default().insert(question);
                if probe.alone.binary_search(identity).is_ok() {
                    let at = asked.add(question);
                    asked.alone.insert((probed.leaf, *identity), at);
                }
            }
        }
        for set in &probe.all_of {
            let set_parts = set.iter().map(|identity| parts.get(identity));
            let mut set_parts: Vec<Vec<u8>> = set_parts
                .map(|questions| questions.into_iter().flatten().flatten().copied().collect())
                .collect();
            set_parts.sort_unstable();
            let set_parts: Vec<&[u8]> = set_parts.iter().map(Vec::as_slice).collect();
            let at = asked.add(key.short_digest("seen-set", &[&encode(&set_parts)]));
            asked.all_of.push((set.clone(), at));
        }
        asked
    }

    fn add(&mut self, question: Question) -> usize {
        self.questions.push(question);
        self.questions.len() - 1
    }

    /// Whether there are so many questions that nothing is to be remembered of them.
    pub(super) const fn is_too_much(&self) -> bool {
        self.questions.len() > MOST
    }

    /// Gives each question its number in the table.
    pub(super) fn number(&mut self, table: &mut Table) {
        self.numbers = self.questions.iter().map(|question| table.ask(*question)).collect();
        self.mask = self.numbers.iter().copied().collect();
    }

    /// All numbers.
    pub(super) const fn mask(&self) -> &Bits {
        &self.mask
    }

    /// The questions to which a file with these hits, and no others, says no.
    pub(super) fn absent(&self, hits: &[Hit]) -> Bits {
        let mut absent = self.mask.clone();
        if hits.is_empty() {
            return absent;
        }
        let mut yes = |at: usize| {
            if let Some(number) = self.numbers.get(at) {
                absent.remove(*number);
            }
        };
        for hit in hits {
            if let Some(at) = self.alone.get(&(hit.leaf, hit.identity)) {
                yes(*at);
            }
        }
        // That all parts lie somewhere in the file does not mean that one row holds them: to say yes too
        // often costs a search, no more.
        let held: HashSet<IdentityId> = hits.iter().map(|hit| hit.identity).collect();
        for (set, at) in &self.all_of {
            if set.iter().all(|identity| held.contains(identity)) {
                yes(*at);
            }
        }
        absent
    }
}

/// A column, and everything that decides how its values are compared.
fn column(leaf: &Leaf, probed: &ProbeLeaf) -> Vec<u8> {
    let mut out = SEARCH.to_le_bytes().to_vec();
    put_count(&mut out, leaf.path.parts().len());
    leaf.path.parts().iter().for_each(|part| put(&mut out, part.as_bytes()));
    put(&mut out, format!("{:?}", leaf.kind).as_bytes());
    put_count(&mut out, leaf.lists.len());
    leaf.lists.iter().for_each(|list| put_count(&mut out, *list));
    out.push(u8::from(leaf.partition));
    let rules = &probed.namespace;
    put(&mut out, rules.name.folded().as_bytes());
    out.push(u8::from(rules.case_sensitive));
    put_count(&mut out, rules.normalize.len());
    out.extend(rules.normalize.iter().map(|step| match step {
        Normalize::Trim => 0,
        Normalize::Lowercase => 1,
        Normalize::Digits => 2,
    }));
    out
}

fn bytes(key: &Key) -> Vec<u8> {
    match key {
        Key::Text(text) => [b"t", text.as_bytes()].concat(),
        Key::Int(number) => [b"i".as_slice(), &number.to_le_bytes()].concat(),
        Key::Decimal(digits) => [b"d", digits.as_bytes()].concat(),
        Key::Date(days) => [b"D".as_slice(), &days.to_le_bytes()].concat(),
        Key::Timestamp(nanos) => [b"T".as_slice(), &nanos.to_le_bytes()].concat(),
        Key::Bytes(bytes) => [b"b".as_slice(), bytes].concat(),
    }
}
