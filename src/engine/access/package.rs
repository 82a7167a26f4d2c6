//! Writes the package of one task.

use std::path::PathBuf;

use crate::model::Catalog;
use crate::plan::Inventory;

use super::archive::{Archive, Closed, Content};
use super::gather::TaskRows;
use super::layout::{self, Layout, Sheet};
use super::profile::Profile;
use super::tally::{Counted, Tally};
use super::value::{Value, decode};
use super::{
    AccessError, AccessTask, DatasetCounts, PackageReport, Workspace, csv, index, listing, summary,
};

/// A package that is written, and not yet on disk.
pub(super) struct Written {
    closed: Closed,
    path: PathBuf,
    rows: u64,
    datasets: Vec<DatasetCounts>,
}

impl Written {
    /// Brings the package to disk and gives it its name.
    pub(super) fn finish(self) -> Result<PackageReport, AccessError> {
        let finished = self.closed.finish()?;
        Ok(PackageReport {
            path: self.path,
            sha256: finished.sha256,
            bytes: finished.bytes,
            rows: self.rows,
            duplicates_removed: self.datasets.iter().map(|d| d.duplicates_removed).sum(),
            datasets: self.datasets,
        })
    }
}

/// Writes the package of a task whose rows come in order.
pub(super) fn write(
    task: &AccessTask<'_>,
    catalog: &Catalog,
    inventory: &Inventory,
    rows: &mut TaskRows<'_>,
    space: &Workspace,
) -> Result<Written, AccessError> {
    let layout = layout::layout(task.work, catalog, inventory, rows.removed)?;
    let large = may_be_large(&layout, rows.bytes);
    let mut archive = Archive::create(&task.out, task.compiled_at, large)?;
    archive.entry("index.html", 0, |out| index::write(task, &layout, &mut out.buffer))?;
    let mut profile = Profile::new(&space.scratch, space.memory / 8);
    for sheet in &layout.sheets {
        let mut tally = Tally::new(&space.scratch, space.memory / 4);
        archive.entry(&sheet.entry("csv"), sheet.rows, |out| {
            write_csv(task, sheet, rows, &mut tally, &mut profile, out)
        })?;
        let mut counted: Counted = tally.finish(sheet.columns.len())?;
        archive.entry(&sheet.entry("html"), sheet.rows, |out| {
            summary::write(task, sheet, &mut counted, out)
        })?;
    }
    while let Some((key, _)) = rows.current()? {
        if !rows.removed.contains(key.dataset as usize, key.row as usize) {
            return Err(AccessError::Bug("a row belongs to no file of its package"));
        }
        rows.advance()?;
    }
    let total = layout.datasets.iter().map(layout::DatasetPart::rows).sum();
    archive.entry("profile.json", total, |out| profile.write(task, &layout, out))?;
    listing::write(&mut archive, task, &layout)?;
    Ok(Written {
        closed: archive.close()?,
        path: task.out.clone(),
        rows: total,
        datasets: listing::counts(&layout).cloned().collect(),
    })
}

/// Writes the lines of one sheet; on the way, counts its values and keeps its rows for the profile.
fn write_csv(
    task: &AccessTask<'_>,
    sheet: &Sheet,
    rows: &mut TaskRows<'_>,
    tally: &mut Tally,
    profile: &mut Profile,
    out: &mut Content<'_>,
) -> Result<(), AccessError> {
    csv::push_header(&mut out.buffer, sheet);
    let (mut text, mut written) = (String::new(), 0);
    while let Some((key, bytes)) = rows.current()?
        && (key.product, key.device) <= (sheet.product, sheet.device)
    {
        let dataset = key.dataset as usize;
        if rows.removed.contains(dataset, key.row as usize) {
            rows.advance()?;
            continue;
        }
        if (key.product, key.device) != (sheet.product, sheet.device) {
            return Err(AccessError::Bug("a row belongs to no file of its package"));
        }
        let places = &sheet.places[dataset];
        let cells = decode_row(bytes, places.len())?;
        let name = task.work.datasets[dataset].dataset.as_str();
        csv::push_row(&mut out.buffer, name, sheet.columns.len(), &cells, places, &mut text);
        for (cell, place) in cells.iter().zip(places) {
            let column = super::record::number(*place);
            cell.each_counted(&mut text, &mut |value| tally.add(column, value))?;
        }
        profile.add(key.dataset, key.device, bytes)?;
        written += 1;
        out.flush_if_full()?;
        rows.advance()?;
    }
    if written == sheet.rows {
        Ok(())
    } else {
        Err(AccessError::Bug("a file has not as many rows as were counted"))
    }
}

fn decode_row(mut bytes: &[u8], cells: usize) -> Result<Vec<Value<'_>>, AccessError> {
    let damaged = || AccessError::Bug("a row's record is damaged");
    let row = (0..cells).map(|_| decode(&mut bytes)).collect::<Option<Vec<_>>>();
    row.filter(|_| bytes.is_empty()).ok_or_else(damaged)
}

/// Whether an entry could pass 4 GiB, from above. A cell or element takes at least a byte as it is
/// kept, and that byte becomes at most 64 in markup, and in JSON its names besides.
fn may_be_large(layout: &Layout, bytes: u64) -> bool {
    let rows: u64 = layout.datasets.iter().map(layout::DatasetPart::rows).sum();
    let paths = layout.datasets.iter().flat_map(|part| &part.cells[0]);
    let longest = paths.map(|path| path.to_string().len() as u64).max().unwrap_or(0);
    bytes.saturating_mul(64 + 6 * longest).saturating_add(rows.saturating_mul(1024)) > 3 << 30
}
