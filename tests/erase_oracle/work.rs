//! Work for a generated file.

use std::path::Path;

use amparo::engine::erase::file_stamp;
use amparo::model::{FieldPath, LeafType, Name};
use amparo::plan::{CellWork, FileWork, LeafWork, Mask, Reach};
use parquet::basic::Type as Physical;

use super::random::Random;
use super::tree::{Column, Field, Value, columns};

pub(crate) fn generate(
    path: &Path,
    schema: &[Field],
    records: &[Value],
    random: &mut Random,
) -> FileWork {
    let rows = records.len() as u64;
    let mut removed = Vec::new();
    if random.one_in(3) {
        let dense = random.one_in(4);
        let block = random.next() % rows;
        for row in 0..rows {
            let hit = if dense { row >= block / 2 } else { random.one_in(12) };
            if hit {
                removed.push((row, random.below(3) as u32));
            }
        }
    }
    let gone = |row: u64| removed.iter().any(|(gone, _)| *gone == row);
    let columns = columns(schema);
    let mut leaves = Vec::new();
    let mut removing = false;
    for column in &columns {
        if random.one_in(3) {
            continue;
        }
        let mask = mask(column, random);
        removing |= mask == Mask::RemoveElement;
        let often = *random.pick(&[1, 4, 40]);
        let cells = cells(rows, often, column, random, &gone);
        leaves.push(LeafWork { path: FieldPath::new(column.path.clone()).unwrap(), mask, cells });
    }
    if !removing && random.one_in(3) {
        let column = random.pick(&columns);
        leaves.push(LeafWork {
            path: FieldPath::new(column.path.clone()).unwrap(),
            mask: Mask::Retain { why: "litigation".to_owned() },
            cells: cells(rows, 5, column, random, &gone),
        });
    }
    let stamp = file_stamp(path, "data.parquet").unwrap();
    FileWork {
        dataset: Name::new("generated").unwrap(),
        path: path.to_owned(),
        shown: "data.parquet".to_owned(),
        stamp,
        removed,
        leaves,
    }
}

fn cells(
    rows: u64,
    often: usize,
    column: &Column,
    random: &mut Random,
    gone: &impl Fn(u64) -> bool,
) -> Vec<CellWork> {
    let mut cells = Vec::new();
    for row in (0..rows).filter(|row| !gone(*row)) {
        for task in 0..3 {
            if random.one_in(often * 2) {
                cells.push(CellWork { row, task, reach: reach(column.lists.len(), random) });
            }
        }
    }
    cells
}

fn reach(depth: usize, random: &mut Random) -> Reach {
    if depth == 0 || random.one_in(3) {
        return Reach::All;
    }
    let mut prefixes: Vec<Box<[u32]>> = (0..random.below(3))
        .map(|_| (0..1 + random.below(depth)).map(|_| random.below(3) as u32).collect())
        .collect();
    prefixes.sort();
    prefixes.dedup();
    let all = prefixes.clone();
    prefixes
        .retain(|one| !all.iter().any(|other| other.len() < one.len() && one.starts_with(other)));
    Reach::Within(prefixes)
}

fn mask(column: &Column, random: &mut Random) -> Mask {
    let pseudonym =
        |suffix: &str| Mask::Pseudonym { prefix: "Privacy-".to_owned(), suffix: suffix.to_owned() };
    let mut masks = Vec::new();
    if column.optional {
        masks.push(Mask::Null);
    }
    if !column.lists.is_empty() {
        masks.push(Mask::RemoveElement);
    }
    match &column.leaf.kind {
        LeafType::Text => masks.extend([
            pseudonym(""),
            pseudonym("@erased.invalid"),
            Mask::AaidPseudonym,
            Mask::Empty,
            Mask::StripUrl,
            Mask::Constant("gone".to_owned()),
            Mask::Hmac { key: "join".to_owned() },
        ]),
        LeafType::Int { bits, .. } => {
            masks.extend([Mask::Empty, Mask::Constant("7".to_owned())]);
            if *bits == 64 {
                masks.push(pseudonym(""));
            }
        }
        LeafType::Decimal { .. } => masks.extend([Mask::Empty, Mask::Constant("1.5".to_owned())]),
        LeafType::Float => {
            masks.extend([Mask::Empty, Mask::Coarsen]);
            if column.leaf.physical != Physical::FIXED_LEN_BYTE_ARRAY {
                masks.push(Mask::Constant("-2.25".to_owned()));
            }
        }
        LeafType::Date => masks.extend([Mask::Coarsen, Mask::Constant("1980-02-29".to_owned())]),
        LeafType::Timestamp(_) => {
            masks.extend([Mask::Coarsen, Mask::Constant("1980-02-29T12:00:00Z".to_owned())]);
        }
        LeafType::Uuid | LeafType::FixedBinary(_) | LeafType::Binary => {
            masks.extend([pseudonym(""), Mask::Empty]);
        }
        LeafType::Bool => masks.push(Mask::Constant("true".to_owned())),
        LeafType::Other(_) => {}
    }
    if masks.is_empty() {
        masks.push(Mask::Retain { why: "kept".to_owned() });
    }
    random.pick(&masks).clone()
}
