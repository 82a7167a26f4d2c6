//! From levels to places: which row, and which element of its lists, a value belongs to.

use parquet::schema::types::ColumnDescriptor;

use super::chunk::{Broken, Sink};

/// Goes through the levels of a chunk, page by page.
#[derive(Debug)]
pub(super) struct Place {
    max_def: u32,
    max_rep: u32,
    /// Rows of the row group.
    rows: u64,
    /// Rows that were begun.
    begun: u64,
    /// Index in each list level.
    element: Vec<u32>,
}

impl Place {
    pub(super) fn new(column: &ColumnDescriptor, rows: u64) -> Self {
        let level = |level: i16| u32::try_from(level).unwrap_or(0);
        let max_rep = level(column.max_rep_level());
        Self {
            max_def: level(column.max_def_level()),
            max_rep,
            rows,
            begun: 0,
            element: vec![0; max_rep as usize],
        }
    }

    /// Whether the column lies in no list: then a level is a row.
    pub(super) const fn is_flat(&self) -> bool {
        self.max_rep == 0
    }

    /// Bits of a repetition and a definition level.
    pub(super) const fn level_widths(&self) -> (u32, u32) {
        (u32::BITS - self.max_rep.leading_zeros(), u32::BITS - self.max_def.leading_zeros())
    }

    /// How many of these definition levels stand for a value.
    pub(super) fn defined(&self, definitions: &[u32]) -> usize {
        definitions.iter().filter(|level| **level == self.max_def).count()
    }

    /// Whether every row of the row group was seen.
    pub(super) const fn is_complete(&self) -> bool {
        self.begun == self.rows
    }

    /// Passes over rows of a flat column.
    pub(super) fn skip(&mut self, rows: u64) -> Result<(), Broken> {
        self.begun = self.begun.checked_add(rows).filter(|at| *at <= self.rows).ok_or(Broken)?;
        Ok(())
    }

    /// Places the matches of a page (or of another stretch of levels) and goes past it. `matches` are
    /// (number among the non-null values, key number), ascending.
    pub(super) fn page(
        &mut self,
        levels: usize,
        definitions: &[u32],
        repetitions: &[u32],
        matches: &[(u32, u32)],
        sink: &mut Sink<'_>,
    ) -> Result<(), Broken> {
        if self.is_flat() {
            return self.flat(levels, definitions, matches, sink);
        }
        let mut matches = matches.iter().peekable();
        let mut value = 0_u32;
        let pairs = repetitions.iter().zip(definitions);
        for (repetition, definition) in pairs.take(levels) {
            self.advance(*repetition as usize)?;
            if *definition != self.max_def {
                continue;
            }
            while let Some((_, key)) = matches.next_if(|(number, _)| *number == value) {
                sink(self.begun - 1, &self.element, *key);
            }
            value += 1;
        }
        Ok(())
    }

    /// One level of a repeated column: 0 begins a row, r the next element of the r-th list.
    fn advance(&mut self, repetition: usize) -> Result<(), Broken> {
        let inner = match repetition.checked_sub(1) {
            None => {
                self.skip(1)?;
                self.element.as_mut_slice()
            }
            Some(list) => {
                if self.begun == 0 {
                    return Err(Broken);
                }
                let (index, inner) = self
                    .element
                    .get_mut(list..)
                    .and_then(<[u32]>::split_first_mut)
                    .ok_or(Broken)?;
                *index = index.checked_add(1).ok_or(Broken)?;
                inner
            }
        };
        inner.fill(0);
        Ok(())
    }

    fn flat(
        &mut self,
        levels: usize,
        definitions: &[u32],
        matches: &[(u32, u32)],
        sink: &mut Sink<'_>,
    ) -> Result<(), Broken> {
        let first = self.begun;
        self.skip(levels as u64)?;
        if self.max_def == 0 {
            for (number, key) in matches {
                sink(first + u64::from(*number), &[], *key);
            }
        } else if !matches.is_empty() {
            let mut matches = matches.iter().peekable();
            let defined = definitions.iter().enumerate().filter(|(_, def)| **def == self.max_def);
            for (value, (row, _)) in defined.enumerate() {
                let Some((_, key)) = matches.next_if(|(number, _)| *number as usize == value)
                else {
                    continue;
                };
                sink(first + row as u64, &[], *key);
            }
        }
        Ok(())
    }
}
