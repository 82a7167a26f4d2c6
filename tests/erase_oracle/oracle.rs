//! What must come out, worked out on records as trees.

use std::collections::{BTreeMap, BTreeSet};

use amparo::model::LeafType;
use amparo::plan::{FileWork, Mask};
use parquet::basic::Type as Physical;

use super::file::{Layout, Shredded, shred};
use super::tree::{Column, Field, Kind, Leaf, Value, columns};

/// What stands in the tree for a value that only the engine's keys give.
pub(crate) const DRAWN: &[u8] = b"\0drawn\0";

#[derive(Debug, Default)]
pub(crate) struct Expected {
    /// Row groups that are left: which one it was, and its columns.
    pub(crate) groups: Vec<(usize, Vec<Shredded>)>,
    pub(crate) tasks: BTreeMap<u32, Counts>,
    /// Row group and column.
    pub(crate) touched: BTreeSet<(usize, usize)>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) rows: BTreeSet<u64>,
    pub(crate) removed: u64,
    pub(crate) cells: BTreeMap<usize, u64>,
}

pub(crate) fn erase(
    schema: &[Field],
    records: &[Value],
    layout: &Layout,
    work: &FileWork,
) -> Expected {
    let columns = columns(schema);
    let mut eraser = Eraser { columns: &columns, work, out: Expected::default(), group: 0, row: 0 };
    for (group, rows) in layout.iter().enumerate() {
        eraser.group = group;
        let mut left = Vec::new();
        for row in rows.clone() {
            eraser.row = row as u64;
            if let Some((_, task)) = work.removed.iter().find(|(gone, _)| *gone == row as u64) {
                let counts = eraser.out.tasks.entry(*task).or_default();
                counts.rows.insert(row as u64);
                counts.removed += 1;
                eraser.out.touched.extend((0..columns.len()).map(|column| (group, column)));
                continue;
            }
            let Value::Struct(values) = &records[row] else { panic!("a record is a struct") };
            let mut at = 0;
            let new = schema.iter().zip(values);
            let new =
                new.map(|(field, value)| eraser.value(field, value, &mut Vec::new(), &mut at));
            left.push(Value::Struct(new.collect()));
        }
        if !left.is_empty() {
            eraser.out.groups.push((group, shred(schema, left.iter())));
        }
    }
    eraser.out
}

struct Eraser<'a> {
    columns: &'a [Column],
    work: &'a FileWork,
    out: Expected,
    group: usize,
    row: u64,
}

fn leaves(field: &Field) -> usize {
    match &field.kind {
        Kind::Leaf(_) | Kind::Repeated(_) => 1,
        Kind::Struct(fields) => fields.iter().map(leaves).sum(),
        Kind::List(element) => leaves(element),
        Kind::Map(key, value) => leaves(key) + leaves(value),
    }
}

impl Eraser<'_> {
    fn value(
        &mut self,
        field: &Field,
        value: &Value,
        index: &mut Vec<u32>,
        at: &mut usize,
    ) -> Value {
        if *value == Value::Null {
            *at += leaves(field);
            return Value::Null;
        }
        match (&field.kind, value) {
            (Kind::Leaf(leaf), Value::Leaf(bytes)) => {
                *at += 1;
                self.leaf(*at - 1, leaf, bytes, index)
            }
            (Kind::Struct(fields), Value::Struct(values)) => {
                let parts = fields.iter().zip(values);
                Value::Struct(parts.map(|(f, v)| self.value(f, v, index, at)).collect())
            }
            (_, Value::List(elements)) => {
                let (start, count) = (*at, leaves(field));
                let mut left = Vec::new();
                for (i, element) in (0..).zip(elements) {
                    index.push(i);
                    *at = start;
                    let new = match (&field.kind, element) {
                        (Kind::List(inner), _) => self.value(inner, element, index, at),
                        (Kind::Map(key, item), Value::Struct(parts)) => Value::Struct(vec![
                            self.value(key, &parts[0], index, at),
                            self.value(item, &parts[1], index, at),
                        ]),
                        (Kind::Repeated(leaf), Value::Leaf(bytes)) => {
                            self.leaf(start, leaf, bytes, index)
                        }
                        _ => panic!("a value that is not of its field"),
                    };
                    if self.goes(start..start + count, index) {
                        let group = self.group;
                        self.out.touched.extend((start..start + count).map(|c| (group, c)));
                    } else {
                        left.push(new);
                    }
                    index.pop();
                }
                *at = start + count;
                Value::List(left)
            }
            _ => panic!("a value that is not of its field"),
        }
    }

    /// Whether the element at `index` goes, of the list above these columns.
    fn goes(&mut self, below: std::ops::Range<usize>, index: &[u32]) -> bool {
        let mut goes = false;
        for leaf in self.work.leaves.iter().filter(|leaf| leaf.mask == Mask::RemoveElement) {
            let own = below.clone().any(|column| {
                let column = &self.columns[column];
                column.path == leaf.path.parts() && column.lists.len() == index.len()
            });
            let cells = leaf.cells.iter().filter(|cell| cell.row == self.row);
            if let Some(cell) = cells.clone().find(|cell| own && cell.reach.covers(index)) {
                goes = true;
                self.out.tasks.entry(cell.task).or_default().rows.insert(self.row);
            }
        }
        goes
    }

    fn leaf(&mut self, column: usize, leaf: &Leaf, bytes: &[u8], index: &[u32]) -> Value {
        let mut new = Value::Leaf(bytes.to_vec());
        for (at, work) in self.work.leaves.iter().enumerate() {
            if work.path.parts() != self.columns[column].path {
                continue;
            }
            let cells = work.cells.iter().filter(|c| c.row == self.row && c.reach.covers(index));
            let keeps = matches!(work.mask, Mask::Retain { .. });
            for cell in cells {
                let changed = match apply(&work.mask, leaf, bytes, cell.task) {
                    None => break,
                    Some(changed) => changed,
                };
                let counts = self.out.tasks.entry(cell.task).or_default();
                *counts.cells.entry(at).or_default() += 1;
                if keeps {
                    continue;
                }
                counts.rows.insert(self.row);
                self.out.touched.insert((self.group, column));
                new = changed;
                break;
            }
        }
        new
    }
}

/// What a value becomes; `None` where it is in erased form already.
fn apply(mask: &Mask, leaf: &Leaf, old: &[u8], task: u32) -> Option<Value> {
    let drawn = |kind: &str| {
        let head = format!("{kind}/{task}/").into_bytes();
        Some(Value::Leaf([DRAWN, &head, old].concat()))
    };
    let new: Vec<u8> = match mask {
        Mask::Null => return Some(Value::Null),
        Mask::RemoveElement | Mask::Retain { .. } => return Some(Value::Leaf(old.to_vec())),
        Mask::AaidPseudonym => return drawn("aaid"),
        Mask::Hmac { .. } => return drawn("hmac"),
        Mask::Pseudonym { suffix, .. } => match leaf.kind {
            LeafType::Text => {
                let text = std::str::from_utf8(old).unwrap();
                let erased = text.strip_prefix("Privacy-").is_some_and(|digits| digits.len() == 32);
                return if erased { None } else { drawn(&format!("text{suffix}")) };
            }
            LeafType::Int { .. } => return drawn("int"),
            _ if old.is_empty() => return None,
            _ => return drawn("bytes"),
        },
        Mask::Empty => match (&leaf.kind, leaf.physical) {
            (LeafType::Decimal { .. }, Physical::BYTE_ARRAY) => vec![0],
            (_, Physical::BYTE_ARRAY) => Vec::new(),
            _ => vec![0; old.len()],
        },
        Mask::StripUrl => {
            let text = std::str::from_utf8(old).unwrap();
            let kept = text.split(['?', '#']).next().unwrap();
            if kept.contains("://") || kept.starts_with('/') { kept.into() } else { Vec::new() }
        }
        Mask::Constant(text) => constant(text, leaf, old.len()),
        Mask::Coarsen => coarse(leaf, old),
    };
    (new != old).then_some(Value::Leaf(new))
}

fn constant(text: &str, leaf: &Leaf, width: usize) -> Vec<u8> {
    let stamp = 320_673_600_i64; // 1980-02-29T12:00:00Z
    match (&leaf.kind, leaf.physical) {
        (LeafType::Text, _) => text.into(),
        (LeafType::Bool, _) => vec![1],
        (LeafType::Int { .. }, _) => 7_i64.to_le_bytes()[..width].to_vec(),
        (LeafType::Float, Physical::FLOAT) => (-2.25_f32).to_le_bytes().to_vec(),
        (LeafType::Float, _) => (-2.25_f64).to_le_bytes().to_vec(),
        (LeafType::Date, _) => ((stamp / 86_400) as i32).to_le_bytes().to_vec(),
        (LeafType::Timestamp(_), Physical::INT96) => {
            let mut raw = (43_200_000_000_000_i64).to_le_bytes().to_vec();
            raw.extend_from_slice(&((stamp / 86_400) as i32 + 2_440_588).to_le_bytes());
            raw
        }
        (LeafType::Timestamp(amparo::model::TimeUnit::Millisecond), _) => {
            (stamp * 1000).to_le_bytes().to_vec()
        }
        (LeafType::Timestamp(amparo::model::TimeUnit::Microsecond), _) => {
            (stamp * 1_000_000).to_le_bytes().to_vec()
        }
        (LeafType::Timestamp(_), _) => (stamp * 1_000_000_000).to_le_bytes().to_vec(),
        (LeafType::Decimal { scale, .. }, physical) => {
            let number = 15 * 10_i64.pow(u32::from(scale.unsigned_abs()) - 1);
            match physical {
                Physical::INT32 => (number as i32).to_le_bytes().to_vec(),
                Physical::INT64 => number.to_le_bytes().to_vec(),
                Physical::BYTE_ARRAY => vec![number as u8],
                _ => i128::from(number).to_be_bytes()[16 - width..].to_vec(),
            }
        }
        _ => panic!("no constant"),
    }
}

fn coarse(leaf: &Leaf, old: &[u8]) -> Vec<u8> {
    let hundredth = |number: f64| {
        // Through text: another way than the engine's.
        if number.is_nan() || number == 0.0 {
            return number;
        }
        let whole = (number * 100.0).round();
        let coarse: f64 =
            format!("{}{:03}e-2", if whole < 0.0 { "-" } else { "" }, whole.abs()).parse().unwrap();
        if coarse == 0.0 { 0.0 } else { coarse }
    };
    match (&leaf.kind, leaf.physical) {
        (LeafType::Float, Physical::FLOAT) => {
            let number = f32::from_le_bytes(old.try_into().unwrap());
            (hundredth(f64::from(number)) as f32).to_le_bytes().to_vec()
        }
        (LeafType::Float, Physical::DOUBLE) => {
            hundredth(f64::from_le_bytes(old.try_into().unwrap())).to_le_bytes().to_vec()
        }
        (LeafType::Float, _) => {
            let wanted = hundredth(half(u16::from_le_bytes(old.try_into().unwrap())));
            let distance = |bits: u16| ((half(bits) - wanted).abs(), bits & 1);
            let nearest = (0..0x7c00_u16).flat_map(|bits| [bits, bits | 0x8000]);
            let nearest = nearest.min_by(|a, b| distance(*a).partial_cmp(&distance(*b)).unwrap());
            nearest.unwrap().to_le_bytes().to_vec()
        }
        (LeafType::Date, _) => {
            let days = i32::from_le_bytes(old.try_into().unwrap());
            let epoch = jiff::civil::date(1970, 1, 1);
            match epoch.checked_add(jiff::Span::new().days(days.clamp(-4_000_000, 2_900_000))) {
                Ok(date) if (-4_000_000..2_900_000).contains(&days) => {
                    (days - i32::from(date.day()) + 1).to_le_bytes().to_vec()
                }
                _ => far_month(days).to_le_bytes().to_vec(),
            }
        }
        (_, Physical::INT96) => [&[0; 8], &old[8..]].concat(),
        (LeafType::Timestamp(unit), _) => {
            let day = match unit {
                amparo::model::TimeUnit::Millisecond => 86_400_000,
                amparo::model::TimeUnit::Microsecond => 86_400_000_000,
                _ => 86_400_000_000_000,
            };
            let stamp = i64::from_le_bytes(old.try_into().unwrap());
            let start = i128::from(stamp).div_euclid(day) * day;
            i64::try_from(start)
                .unwrap_or((i128::from(stamp) / day * day) as i64)
                .to_le_bytes()
                .to_vec()
        }
        _ => panic!("cannot be coarsened"),
    }
}

/// The first of the month of a day that no calendar library reaches: the calendar repeats every 400
/// years.
fn far_month(days: i32) -> i32 {
    let cycle = 146_097;
    let near = i64::from(days).rem_euclid(cycle);
    let date = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(near)).unwrap();
    (i64::from(days) - i64::from(date.day()) + 1).max(i64::from(i32::MIN)) as i32
}

/// The value of a half-precision float.
fn half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let size = match bits >> 10 & 0x1f {
        0 => fraction * 2_f64.powi(-14),
        exponent => (1.0 + fraction) * 2_f64.powi(i32::from(exponent) - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
}
