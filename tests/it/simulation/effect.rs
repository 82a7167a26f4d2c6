//! What access shows of a row, and what erasure makes of it.

use serde_json::{Map, Value};

use super::find::{Hit, is_pseudonym};
use super::model::{HoldScope, Model};
use super::rows::{Cell, Draw, Row};
use super::schema::{Dataset, Field, Method};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Replacements of numbers begin here.
pub(super) const DRAWN: i64 = 1 << 62;

/// What a delete does to one row.
#[derive(Debug, Clone, Default)]
pub(super) struct Fate {
    /// The row goes.
    pub(super) goes: bool,
    /// A hold keeps something that would otherwise change.
    pub(super) held: bool,
    /// It holds a number that may have been drawn.
    pub(super) unclear: bool,
    /// Cells that change: field, element, what comes instead.
    pub(super) cells: Vec<(&'static str, Option<usize>, Cell)>,
}

/// Which elements of its list (`None`: all) hits reach of a field; `None` where they reach nothing.
fn reach(field: &Field, hits: &[Hit]) -> Option<Option<Vec<usize>>> {
    if hits.is_empty() {
        return None;
    }
    if field.group().is_none() || hits.iter().any(|hit| hit.element.is_none()) {
        return Some(None);
    }
    Some(Some(hits.iter().filter_map(|hit| hit.element).collect()))
}

/// The value in erased form.
fn erased(method: Method, old: &Cell, draw: &dyn Fn() -> Draw) -> Cell {
    let text = |value: &str| Cell::Text(value.to_owned());
    match (method, old) {
        (_, Cell::Null) | (Method::Null, _) => Cell::Null,
        (Method::Pseudonym, Cell::Text(value)) if is_pseudonym(value) => old.clone(),
        // Nobody can tell whether it was drawn; the lake may hold another one after a pass.
        (Method::Pseudonym, Cell::Int(number)) if *number >= DRAWN => old.clone(),
        (Method::Pseudonym, _) => Cell::Drawn(draw()),
        (Method::Empty, _) => text(""),
        (Method::Constant(value), _) => text(value),
        (Method::StripUrl, Cell::Text(value)) => {
            let kept = value.split(['?', '#']).next().unwrap();
            let url = kept.starts_with('/') || kept.contains("://");
            text(if url { kept } else { "" })
        }
        (Method::Coarsen, Cell::Time(micros)) => Cell::Time(micros.div_euclid(DAY) * DAY),
        (method, old) => panic!("{method:?} of {old:?}"),
    }
}

impl Model {
    /// What a row's hits let an access show of it; `None` in a cell's place where nothing is.
    pub(super) fn shown(&self, dataset: &Dataset, row: &Row, hits: &[Hit], person: bool) -> Value {
        let wide = self.policies.wide;
        let mut object = Map::new();
        for field in &dataset.fields {
            let timestamp = dataset.timestamp && field.path == "ts";
            let unlabelled = !field.has("ACC-ALL", wide) && !field.has("ACC-PERSON", wide);
            let all = field.has("ACC-ALL", wide) || timestamp && unlabelled;
            if !(all || person && field.has("ACC-PERSON", wide)) {
                continue;
            }
            match field.group() {
                None => {
                    object.insert(field.path.to_owned(), json(&row[field.path]));
                }
                Some((list, leaf)) => {
                    let Some(reach) = reach(field, hits) else { continue };
                    let Cell::List(elements) = &row[list] else { continue };
                    let own = |index: &usize| reach.as_ref().is_none_or(|r| r.contains(index));
                    let own: Vec<&Row> = elements
                        .iter()
                        .enumerate()
                        .filter(|(index, _)| own(index))
                        .map(|(_, element)| element)
                        .collect();
                    let entry = object
                        .entry(list)
                        .or_insert_with(|| vec![Value::Object(Map::new()); own.len()].into());
                    for (slot, element) in entry.as_array_mut().unwrap().iter_mut().zip(own) {
                        slot[leaf] = json(&element[leaf]);
                    }
                }
            }
        }
        Value::Object(object)
    }

    /// What a delete does to a row.
    pub(super) fn fate(
        &self,
        index: usize,
        row: &Row,
        hits: &[Hit],
        purge: bool,
        held_row: bool,
        life: u64,
    ) -> Fate {
        let dataset = &self.schema[index];
        let wide = self.policies.wide;
        let holds = self.holds();
        let whole = held_row || holds.iter().any(|h| h.scope == HoldScope::Dataset(dataset.name));
        let fields: Vec<&str> = holds
            .iter()
            .filter_map(|hold| match hold.scope {
                HoldScope::Field(name, field) if name == dataset.name => Some(field),
                _ => None,
            })
            .collect();
        if purge || dataset.erase_rows {
            let held = whole || !fields.is_empty();
            return Fate { goes: !held, held, ..Fate::default() };
        }
        let mut fate = Fate::default();
        for field in &dataset.fields {
            let eligible: Vec<Hit> = hits
                .iter()
                .filter(|hit| {
                    let label = if hit.person { "DEL-PERSON" } else { "DEL-DEVICE" };
                    field.pii || field.has(label, wide)
                })
                .copied()
                .collect();
            let Some(reach) = reach(field, &eligible) else { continue };
            // A row that is kept whole is kept whatever its cells are.
            fate.held |= whole;
            let own_hold =
                fields.contains(&field.path) || field.namespace.is_some() && !fields.is_empty();
            let mut change = |element: Option<usize>, old: &Cell| {
                let draw = || Draw {
                    life,
                    dataset: dataset.name,
                    field: field.path,
                    original: Box::new(old.clone()),
                };
                fate.unclear |= matches!(old, Cell::Int(number) if *number >= DRAWN);
                let new = erased(field.method, old, &draw);
                if whole || own_hold {
                    // What a hold keeps is a value, be it in erased form.
                    fate.held |= *old != Cell::Null;
                } else if new != *old {
                    fate.cells.push((field.path, element, new));
                }
            };
            match field.group() {
                None => change(None, &row[field.path]),
                Some((list, leaf)) => {
                    let Cell::List(elements) = &row[list] else { continue };
                    for (n, element) in elements.iter().enumerate() {
                        if reach.as_ref().is_none_or(|reach| reach.contains(&n)) {
                            change(Some(n), &element[leaf]);
                        }
                    }
                }
            }
        }
        fate
    }
}

/// The cell at a field, and an element of it.
pub(super) fn slot<'a>(row: &'a mut Row, field: &str, element: Option<usize>) -> &'a mut Cell {
    match (field.split_once('.'), element) {
        (Some((list, leaf)), Some(index)) => match row.get_mut(list) {
            Some(Cell::List(elements)) => elements[index].get_mut(leaf).unwrap(),
            _ => panic!("{list} is no list"),
        },
        _ => row.get_mut(field).unwrap(),
    }
}

fn json(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) => text.clone().into(),
        Cell::Int(number) => (*number).into(),
        Cell::Time(micros) => {
            jiff::Timestamp::from_microsecond(*micros).unwrap().to_string().into()
        }
        _ => Value::Null,
    }
}
