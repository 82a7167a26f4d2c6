//! A copy of a file for eyes that may not see everything: in some leaves every value is replaced, all else
//! is copied byte for byte, by the splice that erases.
//!
//! Guarantees: the copy is proven from what is read back: everything that had to stay is the original's, and
//! no structure of a masked column (dictionary, pages, statistics, page index, bloom filter) holds anything
//! but the replacement. What cannot be shown to be free of values is refused. The original is only read.
//!
//! Crash behaviour: the copy may be incomplete; it belongs in a directory that is moved into place as a whole.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::plan::{CellWork, FileWork, Mask, Reach};

use super::chunk::empty_filter;
use super::constant::constant;
use super::error::{Outcome, Problem};
use super::faults::{Faults, Step, after};
use super::pages::{Kind, Page, PageReader, walk};
use super::proof::prove;
use super::select::Selection;
use super::shape::Shape;
use super::source::{Chunk, Source, stamp};
use super::splice::{Spliced, splice};
use super::stage::unless_killed;
use super::thrift::{Struct, Value};
use super::values::Values;

/// Writes a masked copy to `to`, which must not exist.
pub(crate) fn publish(work: &FileWork, to: &Path, faults: &dyn Faults) -> Outcome<Spliced> {
    let source = Source::open(&work.path)?;
    if source.stamp != work.stamp {
        return Err(Problem::Changed);
    }
    after(faults, Step::Checked)?;
    let rows = source.groups.last().map_or(0, |group| group.range().end);
    let cells: Vec<CellWork> =
        (0..rows).map(|row| CellWork { row, task: 0, reach: Reach::All }).collect();
    let selection = Selection::whole(work, &source, &cells)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(Problem::io("create the copy of"))?;
    unless_killed(to, || {
        let spliced = splice(&source, &selection, &file, faults)?;
        after(faults, Step::Written)?;
        let mode = source.file.metadata().map_err(Problem::io("look at"))?.permissions().mode();
        file.set_permissions(Permissions::from_mode(mode & 0o777 | 0o200))
            .and_then(|()| file.sync_all())
            .map_err(Problem::io("write to disk the copy of"))?;
        prove(&source, to, &spliced)?;
        prove_masked(work, to)?;
        // What was read while another writer wrote proves nothing.
        if stamp(&work.path)? != work.stamp {
            return Err(Problem::Changed);
        }
        Ok(spliced)
    })
}

/// Shows that masked leaves hold their replacement and nothing else, wherever a file can hold a value.
fn prove_masked(work: &FileWork, copy: &Path) -> Outcome<()> {
    let copy = Source::open(copy).map_err(|_| Problem::proof("the copy cannot be read back"))?;
    for leaf in &work.leaves {
        let column = copy.shapes.iter().position(|shape| shape.path == leaf.path);
        let Some(column) = column else { continue };
        let shape = &copy.shapes[column];
        let only = match &leaf.mask {
            Mask::Constant(text) => constant(&shape.kind, shape.physical, text),
            _ => None,
        };
        for group in 0..copy.groups.len() {
            let masked = Masked { copy: &copy, shape, only: only.as_deref() };
            masked.prove(group, column)?;
        }
    }
    Ok(())
}

/// A leaf of the copy, and the only value that it may hold; `None`: it may hold none.
struct Masked<'a> {
    copy: &'a Source,
    shape: &'a Shape,
    only: Option<&'a [u8]>,
}

impl Masked<'_> {
    fn prove(&self, group: usize, column: usize) -> Outcome<()> {
        let chunk = &self.copy.groups[group].chunks[column];
        let pages = walk(&self.copy.file, chunk)?;
        let any = self.values(chunk, &pages)?;
        let meta = self.copy.column(group, column).ok_or_else(|| self.leaks("metadata"))?;
        if let Some(stats) = meta.structure(12) {
            self.statistics(stats)?;
        }
        // What a box or a histogram of values tells cannot be known here.
        if meta.has(17) {
            return Err(self.leaks("geospatial statistics"));
        }
        if let Some(range) = &chunk.column_index {
            let read = Struct::read(&self.copy.read(range)?);
            let (index, _) = read.map_err(|_| self.leaks("page index"))?;
            let bounds = [2, 3].into_iter().flat_map(|id| index.list(id).unwrap_or_default());
            for bound in bounds {
                let Value::Bytes(bound) = bound else { return Err(self.leaks("page index")) };
                if !bound.is_empty() && Some(bound.as_slice()) != self.only {
                    return Err(self.leaks("page index"));
                }
            }
        }
        match &chunk.bloom {
            Some(range) => self.bloom(&self.copy.read(range)?, any),
            None => Ok(()),
        }
    }

    /// Every value that is stored, referred to or not; whether there is any.
    fn values(&self, chunk: &Chunk, pages: &[Page]) -> Outcome<bool> {
        let reader = PageReader::new(&self.copy.file, self.shape, chunk)?;
        let mut dictionary = None;
        let mut any = false;
        for page in pages {
            match page.kind {
                Kind::Dictionary => {
                    let entries = reader.dictionary(page)?;
                    self.only_ours(&entries, None)?;
                    dictionary = Some(entries);
                }
                Kind::V1 | Kind::V2 => {
                    let entries = dictionary.as_ref().map_or(0, Values::len);
                    let loaded = reader.load(page, entries)?;
                    self.only_ours(&loaded.values, dictionary.as_ref())?;
                    any |= loaded.values.len() > 0;
                    let id = if page.kind == Kind::V2 { 8 } else { 5 };
                    if let Some(stats) = page.part().and_then(|part| part.structure(id)) {
                        self.statistics(stats)?;
                    }
                }
                Kind::Other => return Err(self.leaks("a page of an unknown kind")),
            }
        }
        Ok(any)
    }

    fn only_ours(&self, values: &Values, dictionary: Option<&Values>) -> Outcome<()> {
        let ours = (0..values.len()).all(|at| Some(values.get(at, dictionary)) == self.only);
        if ours { Ok(()) } else { Err(self.leaks("values")) }
    }

    /// Bounds, old and new; and the count of distinct values, which tells too.
    fn statistics(&self, stats: &Struct) -> Outcome<()> {
        let mut bounds = [1, 2, 5, 6].into_iter().filter_map(|id| stats.bytes(id));
        if bounds.all(|bound| Some(bound) == self.only) && !stats.has(4) {
            Ok(())
        } else {
            Err(self.leaks("statistics"))
        }
    }

    /// A filter says for any value whether it may be in: ours must say so of the replacement alone.
    fn bloom(&self, bytes: &[u8], any: bool) -> Outcome<()> {
        let (head, mut filter) = empty_filter(bytes)?;
        if let Some(only) = self.only.filter(|_| any) {
            filter.insert(only);
        }
        let mut expected = Vec::new();
        filter.write_bitset(&mut expected).map_err(|_| self.leaks("bloom filter"))?;
        if bytes.get(head..) == Some(expected.as_slice()) {
            Ok(())
        } else {
            Err(self.leaks("bloom filter"))
        }
    }

    fn leaks(&self, what: &str) -> Problem {
        Problem::refused(format!(
            "`{}` may not be seen, and its {what} cannot be shown to be free of values",
            self.shape.path
        ))
    }
}
