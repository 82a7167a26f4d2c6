//! Cells for the eyes of a person, or as JSON: the same forms as in packages.

use std::ops::ControlFlow;

use crate::engine::{Engine, EngineError};
use crate::model::Sensitive;
use crate::plan::{DatasetFiles, Reach, RowKey};

use super::cell::encode_cell;
use super::value::{Instants, Value, decode};

/// A cell that may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCell {
    /// As a CSV cell has it; empty where it is null.
    pub text: Sensitive<String>,
    /// As JSON.
    pub json: Sensitive<String>,
}

/// A row, and what of each leaf may be seen: `None` hides the cell.
#[derive(Debug, Clone)]
pub struct LookedRow {
    /// Where it is.
    pub at: RowKey,
    /// One entry a leaf.
    pub reach: Vec<Option<Reach>>,
}

/// Reads these leaves (ascending) of these rows (sorted, each once). What a row may not show is `None`.
///
/// # Errors
/// As [`Engine::fetch`].
pub fn look(
    engine: &Engine,
    dataset: &DatasetFiles,
    rows: &[LookedRow],
    leaves: &[u16],
) -> Result<Vec<Vec<Option<SeenCell>>>, EngineError> {
    let keys: Vec<RowKey> = rows.iter().map(|row| row.at).collect();
    let mut seen: Vec<Vec<Option<SeenCell>>> = Vec::with_capacity(rows.len());
    let mut outcome = Ok(());
    engine.fetch(dataset, &keys, leaves, &mut |batch| {
        for position in 0..batch.rows.len() {
            let Some(row) = rows.get(seen.len()) else {
                outcome = Err(EngineError::Bug("a row came that was not asked for"));
                return ControlFlow::Break(());
            };
            let cells = batch.columns.iter().zip(&row.reach).map(|((leaf, array), reach)| {
                let kind = &dataset.leaves.get(usize::from(*leaf))?.kind;
                let mut bytes = Vec::new();
                encode_cell(array, position, kind, reach.as_ref()?, &mut bytes).ok()?;
                show(&decode(&mut bytes.as_slice())?)
            });
            seen.push(cells.collect());
        }
        ControlFlow::Continue(())
    })?;
    outcome?;
    if seen.len() == rows.len() { Ok(seen) } else { Err(EngineError::Bug("a row did not come")) }
}

fn show(value: &Value<'_>) -> Option<SeenCell> {
    if matches!(value, Value::Hidden) {
        return None;
    }
    let (mut text, mut json) = (String::new(), String::new());
    value.push_csv(&mut text);
    value.push_json(&mut json, Instants::Exact);
    Some(SeenCell { text: Sensitive::new(text), json: Sensitive::new(json) })
}
