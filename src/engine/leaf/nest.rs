//! From levels to structure: which row and which elements a value belongs to, and nested Arrow lists.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Field;

use super::read::{Broken, Rows};

/// Calls `each` with the number of the row among those read, the list indices and the number of the
/// value, for every value.
pub(crate) fn each_place(
    rows: &Rows,
    max_definition: i16,
    lists: usize,
    mut each: impl FnMut(usize, &[u32], usize) -> Result<(), Broken>,
) -> Result<(), Broken> {
    let mut element = vec![0_u32; lists];
    let mut row: Option<usize> = None;
    let mut value = 0;
    for level in 0..levels(rows, max_definition, lists) {
        let repetition = rows.repetitions.get(level).copied().unwrap_or(0);
        match usize::try_from(repetition).map_err(|_| Broken)?.checked_sub(1) {
            None => {
                row = Some(row.map_or(0, |row| row + 1));
                element.fill(0);
            }
            Some(list) => {
                let (index, inner) =
                    element.get_mut(list..).and_then(<[u32]>::split_first_mut).ok_or(Broken)?;
                *index = index.checked_add(1).ok_or(Broken)?;
                inner.fill(0);
            }
        }
        if rows.definitions.get(level).is_none_or(|level| *level == max_definition) {
            each(row.ok_or(Broken)?, &element, value)?;
            value += 1;
        }
    }
    Ok(())
}

fn levels(rows: &Rows, max_definition: i16, lists: usize) -> usize {
    if max_definition > 0 {
        rows.definitions.len()
    } else if lists > 0 {
        rows.repetitions.len()
    } else {
        rows.values.len()
    }
}

/// One list level while it is built.
struct List {
    /// Definition level from which on it has an element.
    element_level: i16,
    offsets: Vec<i32>,
    valid: Vec<bool>,
    elements: i32,
}

/// The leaf's view of rows: `leaf` makes the flat array of its slots (for each, the number of its
/// value, or `None` for null), and each list level wraps a `ListArray` around it. `element_levels` are
/// [`super::super::schema::FileLeaf::element_levels`].
pub(crate) fn nest(
    rows: &Rows,
    max_definition: i16,
    element_levels: &[i16],
    leaf: impl FnOnce(&[Option<usize>]) -> Option<ArrayRef>,
) -> Result<ArrayRef, Broken> {
    let mut lists: Vec<List> = element_levels
        .iter()
        .map(|level| List {
            element_level: *level,
            offsets: Vec::new(),
            valid: Vec::new(),
            elements: 0,
        })
        .collect();
    let mut slots = Vec::new();
    let mut value = 0;
    for level in 0..levels(rows, max_definition, lists.len()) {
        let definition = rows.definitions.get(level).copied().unwrap_or(max_definition);
        let repetition = rows.repetitions.get(level).copied().unwrap_or(0);
        let repetition = usize::try_from(repetition).map_err(|_| Broken)?;
        if place(&mut lists, repetition, definition)? {
            let present = definition == max_definition;
            slots.push(present.then_some(value));
            value += usize::from(present);
        }
    }
    let mut array = leaf(&slots).ok_or(Broken)?;
    for list in lists.into_iter().rev() {
        array = list.wrap(array)?;
    }
    Ok(array)
}

/// Takes a level into the lists; whether it has a slot in the leaf.
fn place(lists: &mut [List], repetition: usize, definition: i16) -> Result<bool, Broken> {
    if let Some(continued) = repetition.checked_sub(1) {
        lists.get_mut(continued).ok_or(Broken)?.grow()?;
    }
    for list in lists.get_mut(repetition..).ok_or(Broken)? {
        list.offsets.push(list.elements);
        list.valid.push(definition >= list.element_level - 1);
        if definition < list.element_level {
            return Ok(false);
        }
        list.grow()?;
    }
    Ok(true)
}

impl List {
    fn grow(&mut self) -> Result<(), Broken> {
        self.elements = self.elements.checked_add(1).ok_or(Broken)?;
        Ok(())
    }

    fn wrap(mut self, inner: ArrayRef) -> Result<ArrayRef, Broken> {
        self.offsets.push(self.elements);
        let item = Arc::new(Field::new("item", inner.data_type().clone(), true));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let list = ListArray::try_new(item, offsets, inner, Some(NullBuffer::from(self.valid)));
        list.map(|list| Arc::new(list) as ArrayRef).map_err(|_| Broken)
    }
}
