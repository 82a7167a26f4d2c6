//! Key-value metadata must not hold what is erased (RULES.md section 5): a file whose metadata does is
//! refused, by the name of the key.

use std::collections::{HashMap, HashSet};

use crate::model::{Key, LeafType, TimeUnit};

use super::error::{Outcome, Problem};
use super::source::Source;
use super::thrift::{Struct, Value};

/// Shorter values are looked for more narrowly: as a part of a text they would be found anywhere.
const SHORTEST_PART: usize = 4;

/// The shortest text that is looked for as a word; shorter ones between quotes, as JSON has them, and as the
/// whole of an entry. Short numbers are only looked for as the whole of an entry: metadata counts rows and
/// versions.
const SHORTEST_WORD: usize = 3;

/// Entries of writers that describe the columns, and nothing else: what they hold is looked for when a file
/// is rewritten, and not already for the plan of rows that go.
const SCHEMAS: [&str; 5] = [
    "ARROW:schema",
    "pandas",
    "parquet.avro.schema",
    "avro.schema",
    "org.apache.spark.sql.parquet.row.metadata",
];

/// Words that schemas in metadata are made of (Arrow's, pandas', Spark's, Avro's); together with the names of the columns they say nothing
/// of a person.
const SCHEMA_WORDS: [&str; 81] = [
    "UTC",
    "array",
    "attributes",
    "bigint",
    "binary",
    "bool",
    "boolean",
    "byte",
    "bytes",
    "categorical",
    "char",
    "column_indexes",
    "columns",
    "containsNull",
    "creator",
    "date",
    "datetime",
    "decimal",
    "default",
    "doc",
    "double",
    "element",
    "elementType",
    "empty",
    "enum",
    "false",
    "field_name",
    "fields",
    "fixed",
    "float",
    "float32",
    "float64",
    "index_columns",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "integer",
    "interval",
    "item",
    "items",
    "key",
    "keyType",
    "kind",
    "library",
    "list",
    "logicalType",
    "long",
    "map",
    "metadata",
    "mixed",
    "name",
    "namespace",
    "null",
    "nullable",
    "numpy_type",
    "object",
    "pandas_type",
    "pandas_version",
    "precision",
    "range",
    "record",
    "scale",
    "short",
    "smallint",
    "str",
    "string",
    "struct",
    "symbols",
    "timestamp",
    "timestamp_ntz",
    "tinyint",
    "true",
    "type",
    "unicode",
    "value",
    "valueContainsNull",
    "valueType",
    "values",
    "varchar",
];

/// What the metadata of a file holds.
pub(crate) struct Guard {
    entries: Vec<Entry>,
    vocabulary: HashSet<Vec<u8>>,
    /// Short texts, and the entry that holds each.
    short: HashMap<Vec<u8>, usize>,
    /// Which four bytes stand anywhere, by a hash of 16 bits: most values end here.
    grams: Vec<bool>,
}

struct Entry {
    key: String,
    /// As it stands, decoded where it is base64, and the strings in it where it is JSON, which may be escaped.
    texts: Vec<Vec<u8>>,
}

impl Guard {
    pub(crate) fn new(source: &Source) -> Self {
        let mut entries = Vec::new();
        collect(source.footer.list(5), &mut entries);
        for group in 0..source.groups.len() {
            for leaf in 0..source.shapes.len() {
                collect(source.column(group, leaf).and_then(|meta| meta.list(8)), &mut entries);
            }
        }
        let mut grams = vec![false; if entries.is_empty() { 0 } else { 1 << 16 }];
        for text in entries.iter().flat_map(|entry| &entry.texts) {
            for gram in text.windows(SHORTEST_PART) {
                grams[hash(gram)] = true;
            }
        }
        let names = source.shapes.iter().flat_map(|shape| shape.names.iter().cloned());
        let words = SCHEMA_WORDS.iter().map(|word| word.as_bytes().to_vec());
        let short = short_texts(&entries);
        Self { entries, vocabulary: names.chain(words).collect(), short, grams }
    }

    /// Whether metadata says more than what the columns are.
    pub(crate) fn tells_more(&self) -> bool {
        self.entries.iter().any(|entry| !SCHEMAS.contains(&entry.key.as_str()))
    }

    /// Refuses where an entry holds the value of a leaf.
    pub(crate) fn check(&self, kind: &LeafType, value: &[u8]) -> Outcome<()> {
        if self.entries.is_empty() {
            return Ok(());
        }
        match kind {
            LeafType::Text | LeafType::Binary | LeafType::FixedBinary(_) => {
                self.check_text(value, true)
            }
            _ => match as_text(kind, value) {
                Some(text) => self.check_text(text.as_bytes(), false),
                None => Ok(()),
            },
        }
    }

    fn check_text(&self, value: &[u8], is_text: bool) -> Outcome<()> {
        let short = value.len() < SHORTEST_PART;
        let rare = value.get(..SHORTEST_PART).is_some_and(|gram| !self.grams[hash(gram)]);
        if value.is_empty() || rare || self.vocabulary.contains(value) {
            return Ok(());
        }
        let holds = |text: &Vec<u8>| if short { text == value } else { has_part(text, value) };
        let found = match self.short.get(value).filter(|_| is_text) {
            Some(entry) => self.entries.get(*entry),
            None => self.entries.iter().find(|entry| entry.texts.iter().any(holds)),
        };
        match found {
            Some(entry) => Err(Problem::refused(format!(
                "its metadata holds, under `{}`, a value that is to be erased",
                entry.key.escape_debug()
            ))),
            None => Ok(()),
        }
    }
}

fn collect(list: Option<&[Value]>, entries: &mut Vec<Entry>) {
    for pair in list.unwrap_or_default().iter().filter_map(Value::structure) {
        let text = |id| Struct::bytes(pair, id).unwrap_or_default().to_vec();
        let key = String::from_utf8_lossy(&text(1)).into_owned();
        let value = text(2);
        let decoded = [base64(&value), unescaped(&value)];
        let texts = std::iter::once(value).chain(decoded.into_iter().flatten());
        entries.push(Entry { key, texts: texts.collect() });
    }
}

/// The strings of a JSON document in which some are escaped, one a line.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    fn strings(value: &serde_json::Value, all: &mut Vec<u8>) {
        let mut add = |text: &str| all.extend(text.bytes().chain([b'\n']));
        match value {
            serde_json::Value::String(text) => add(text),
            serde_json::Value::Array(values) => values.iter().for_each(|value| strings(value, all)),
            serde_json::Value::Object(entries) => {
                entries.keys().for_each(|key| add(key));
                entries.values().for_each(|value| strings(value, all));
            }
            _ => {}
        }
    }
    if !text.contains(&b'\\') {
        return None;
    }
    let mut all = Vec::new();
    strings(&serde_json::from_slice(text).ok()?, &mut all);
    Some(all)
}

fn hash(gram: &[u8]) -> usize {
    let word = gram.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
    (word.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

/// The short texts that entries hold, each with the first such entry.
fn short_texts(entries: &[Entry]) -> HashMap<Vec<u8>, usize> {
    let mut all = HashMap::new();
    for (at, entry) in entries.iter().enumerate() {
        for text in &entry.texts {
            let between = |start: usize, end: usize| {
                (start.checked_sub(1).and_then(|before| text.get(before)), text.get(end))
            };
            for size in 1..SHORTEST_PART {
                for (start, part) in text.windows(size).enumerate() {
                    let (before, after) = between(start, start + size);
                    let there = match size {
                        SHORTEST_WORD.. => !is_word(before) && !is_word(after),
                        _ => (before, after) == (Some(&b'"'), Some(&b'"')),
                    };
                    if there {
                        all.entry(part.to_vec()).or_insert(at);
                    }
                }
            }
        }
    }
    all
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

/// Whether a value stands in a text, not as a part of a longer word.
fn has_part(text: &[u8], value: &[u8]) -> bool {
    text.windows(value.len()).enumerate().any(|(at, part)| {
        part == value
            && !is_word(at.checked_sub(1).and_then(|before| text.get(before)))
            && !is_word(text.get(at + value.len()))
    })
}

/// How a value that is no text would be written.
fn as_text(kind: &LeafType, value: &[u8]) -> Option<String> {
    let signed = |raw: &[u8]| match raw.len() {
        4 => Some(i128::from(i32::from_le_bytes(raw.try_into().ok()?))),
        8 => Some(i128::from(i64::from_le_bytes(raw.try_into().ok()?))),
        _ => None,
    };
    let key = match kind {
        LeafType::Int { signed: true, .. } => Key::Int(signed(value)?),
        LeafType::Int { bits, signed: false } => Key::Int(signed(value)? & ((1_i128 << bits) - 1)),
        LeafType::Date => Key::Date(i32::try_from(signed(value)?).ok()?),
        LeafType::Uuid => Key::Bytes(value.to_vec()),
        LeafType::Timestamp(unit) => Key::Timestamp(signed(value)?.checked_mul(match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        })?),
        _ => return None,
    };
    Some(kind.text(&key))
}

/// The bytes of a base64 text (Arrow's schema is stored so); `None` where it is none.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let bare = text.strip_suffix(b"=").map_or(text, |rest| rest.strip_suffix(b"=").unwrap_or(rest));
    if bare.len() < 16 {
        return None;
    }
    let mut out = Vec::with_capacity(bare.len() * 3 / 4);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in bare {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        buffer = buffer << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((buffer >> bits) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_whole_words_only() {
        assert!(has_part(br#"{"owner": "john@mail.com"}"#, b"john@mail.com"));
        assert!(!has_part(b"bigjohn@mail.com", b"john@mail.com"));
        assert!(!has_part(b"john@mail.community", b"john@mail.com"));
        assert!(has_part(b"john@mail.com", b"john@mail.com"));
    }

    #[test]
    fn reads_base64() {
        assert_eq!(
            base64(b"aGVsbG8gd29ybGQsIGhlbGxv").as_deref(),
            Some(&b"hello world, hello"[..])
        );
        assert_eq!(base64(b"no base64, this one"), None);
    }

    #[test]
    fn short_values_are_looked_for_narrowly() {
        let guard = |text: &[u8]| {
            let entry = Entry { key: "note".to_owned(), texts: vec![text.to_vec()] };
            let entries = vec![entry];
            let short = short_texts(&entries);
            Guard { entries, vocabulary: HashSet::new(), short, grams: vec![true; 1 << 16] }
        };
        let holds = |text: &str, value: &str| {
            guard(text.as_bytes()).check(&LeafType::Text, value.as_bytes()).is_err()
        };
        assert!(holds("Bob was here", "Bob"));
        assert!(!holds("Bobby was here", "Bob"));
        assert!(holds(r#"{"name": "Al"}"#, "Al"));
        assert!(holds("Al", "Al"));
        assert!(!holds("Al was here", "Al"));
        let number = LeafType::Int { bits: 64, signed: true };
        let counts = |text: &str, value: i64| {
            guard(text.as_bytes()).check(&number, &value.to_le_bytes()).is_err()
        };
        assert!(!counts(r#"{"stop": 471}"#, 471));
        assert!(counts(r#"{"stop": 4711}"#, 4711));
    }
}
