//! The keys of one mapping, and values of one type each.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use jiff::civil::Date;

use super::values::{date, flag, integer, list, not_one_of, text, wrong_type};
use super::{Report, Text};
use crate::manifest::codes::files::{DUPLICATE_KEY, MISSING_KEY, UNKNOWN_KEY};
use crate::manifest::source::SourceKind;
use crate::manifest::tree::{Entry, Kind, Mark, Node};

/// The entries of a mapping. Every key asked for counts as known; [`Fields::finish`] reports the
/// others, and those that are there twice.
pub struct Fields<'n> {
    entries: &'n [Entry],
    at: Mark,
    what: String,
    asked: Vec<&'static str>,
    same: Vec<(&'static str, &'static str)>,
}

impl<'n> Fields<'n> {
    /// Opens a mapping; `what` names it in messages (`spec`, `a field`). Anything else than a mapping
    /// is reported.
    pub fn open(report: &mut Report<'_>, node: &'n Node, what: &str) -> Option<Self> {
        if let Kind::Map(entries) = &node.kind {
            return Some(Self {
                entries,
                at: node.at,
                what: what.to_owned(),
                asked: Vec::new(),
                same: Vec::new(),
            });
        }
        wrong_type(report, node, what, "a mapping");
        None
    }

    /// Where the mapping starts.
    pub const fn at(&self) -> Mark {
        self.at
    }

    /// The first entry of that key.
    pub fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The value of that key.
    pub fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of a key that has a second spelling; [`Fields::finish`] reports both together as a
    /// duplicate.
    pub fn get_either(&mut self, key: &'static str, also: &'static str) -> Option<&'n Node> {
        self.same.push((also, key));
        let first = self.get(key);
        let second = self.get(also);
        first.or(second)
    }

    /// The value of a key that must be there.
    pub fn required(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<&'n Node> {
        let node = self.get(key);
        if node.is_none() {
            report
                .error(MISSING_KEY, self.at, format!("{} lacks the key `{key}`", self.what))
                .help(format!("add `{key}: …`"));
        }
        node
    }

    /// A text that may be absent; never empty.
    pub fn text(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Text<'n>> {
        self.get(key).and_then(|node| text(report, node, &format!("`{key}`")))
    }

    /// A text that must be there; never empty.
    pub fn required_text(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
    ) -> Option<Text<'n>> {
        self.required(report, key).and_then(|node| text(report, node, &format!("`{key}`")))
    }

    /// `true` or `false`; `None` where absent or wrong.
    pub fn flag(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<bool> {
        self.get(key).and_then(|node| flag(report, node, &format!("`{key}`")))
    }

    /// A whole number in a range.
    pub fn integer(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        self.get(key).and_then(|node| integer(report, node, &format!("`{key}`"), range))
    }

    /// A date, quoted or not.
    pub fn date(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Date> {
        self.get(key).and_then(|node| date(report, node, &format!("`{key}`")))
    }

    /// A list of texts; repeated ones are there as often as written.
    pub fn texts(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Vec<Text<'n>>> {
        let what = format!("`{key}`");
        let nodes = self.get(key).and_then(|node| list(report, node, &what))?;
        let item = format!("an item of {what}");
        Some(nodes.iter().filter_map(|node| text(report, node, &item)).collect())
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &mut self,
        report: &mut Report<'_>,
        key: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let found = self.text(report, key)?;
        let chosen = words.iter().find(|(word, _)| *word == found.text).map(|(_, value)| *value);
        if chosen.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            not_one_of(report, found, &format!("`{key}`"), &names);
        }
        chosen
    }

    /// A mapping below.
    pub fn nested(&mut self, report: &mut Report<'_>, key: &'static str) -> Option<Self> {
        self.get(key).and_then(|node| Self::open(report, node, &format!("`{key}`")))
    }

    /// Reports keys that nobody asked for, and keys that are there twice.
    pub fn finish(self, report: &mut Report<'_>) {
        let canonical = |key: &'n str| {
            self.same.iter().find(|(also, _)| *also == key).map_or(key, |(_, key)| *key)
        };
        let mut seen: HashMap<&str, &Entry> = HashMap::new();
        for entry in self.entries {
            let known = self.asked.contains(&entry.key.as_str());
            if !known {
                self.unknown(report, entry);
            }
            match seen.entry(canonical(&entry.key)) {
                Slot::Occupied(first) => self.duplicate(report, first.get(), entry, known),
                Slot::Vacant(slot) => {
                    slot.insert(entry);
                }
            }
        }
    }

    fn unknown(&self, report: &mut Report<'_>, entry: &Entry) {
        let message = match report.kind() {
            SourceKind::Policy | SourceKind::Approval => {
                format!("unknown key {} in {}", report.quote(&entry.key), self.what)
            }
            SourceKind::Request => format!("unknown key in {}", self.what),
        };
        let near = report.suggest(&entry.key, &self.asked);
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.asked.is_empty() => "remove it".to_owned(),
            None => format!("the keys here are {}", self.asked.join(", ")),
        };
        report.add(report.unknown_keys(), UNKNOWN_KEY, entry.at, message).help(help);
    }

    fn duplicate(&self, report: &mut Report<'_>, first: &Entry, entry: &Entry, known: bool) {
        let named = known || report.kind() != SourceKind::Request;
        let name = if named { format!("the key `{}`", entry.key) } else { "a key".to_owned() };
        let twice = if first.key == entry.key {
            format!("{name} is there twice in {}", self.what)
        } else {
            format!("{name} repeats `{}` in {}", first.key, self.what)
        };
        let (line, column) = (first.at.line, first.at.column);
        report
            .error(DUPLICATE_KEY, entry.at, twice)
            .help(format!("remove one; the first is on line {line}, column {column}"));
    }
}
