//! Which files a package holds, and which columns they have (RULES.md section 4).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Catalog, FieldPath, Product};
use crate::plan::{AccessDataset, AccessWork, Inventory};

use super::copies::Removed;
use super::{AccessError, DatasetCounts};

/// The files that stand at the top of every package: no product's directory may take their names.
pub(super) const TOP: [&str; 3] = ["index.html", "manifest.json", "profile.json"];

/// What a package holds.
pub(super) struct Layout {
    /// By product, person before device; sheets without a row are not there.
    pub(super) sheets: Vec<Sheet>,
    /// One for each dataset of the work, in its order.
    pub(super) datasets: Vec<DatasetPart>,
}

/// A pair of files: the rows of one product that matched as a person, or as a device only.
pub(super) struct Sheet {
    /// Rank of the product.
    pub(super) product: u32,
    /// The product's directory.
    pub(super) directory: String,
    /// Device rows, else person rows.
    pub(super) device: bool,
    /// The columns after `_dataset`.
    pub(super) columns: Vec<FieldPath>,
    /// For each dataset of the work: the column of each of its cells. Empty for other products.
    pub(super) places: Vec<Vec<usize>>,
    /// Rows, without copies.
    pub(super) rows: u64,
}

impl Sheet {
    /// `person` or `device`.
    pub(super) const fn kind(&self) -> &'static str {
        if self.device { "device" } else { "person" }
    }

    /// The path of one of its files in the package.
    pub(super) fn entry(&self, ending: &str) -> String {
        format!("{}/{}.{ending}", self.directory, self.kind())
    }
}

/// One dataset's part of a package.
pub(super) struct DatasetPart {
    /// Rows, without copies.
    pub(super) counts: DatasetCounts,
    /// Paths of the cells of its person rows, and of its device rows.
    pub(super) cells: [Vec<FieldPath>; 2],
    /// List levels of those cells, as [`crate::model::Leaf::lists`] has them.
    pub(super) lists: [Vec<Vec<usize>>; 2],
}

impl DatasetPart {
    /// Rows of both kinds.
    pub(super) const fn rows(&self) -> u64 {
        self.counts.person_rows + self.counts.device_rows
    }
}

/// The columns (by index) that a person row, or a device row, shows.
pub(super) fn eligible(dataset: &AccessDataset, person: bool) -> Vec<usize> {
    let columns = dataset.columns.iter().enumerate();
    columns.filter(|(_, column)| person || column.device).map(|(index, _)| index).collect()
}

/// The place of a product among the task's products, by name without case.
pub(super) fn product_rank(work: &AccessWork, product: &Product) -> u32 {
    let before: BTreeSet<&Product> =
        work.datasets.iter().map(|dataset| &dataset.product).filter(|p| *p < product).collect();
    super::record::number(before.len())
}

/// Lays out the package of a task.
pub(super) fn layout(
    work: &AccessWork,
    catalog: &Catalog,
    inventory: &Inventory,
    removed: &Removed,
) -> Result<Layout, AccessError> {
    let directories = directories(work)?;
    let datasets = work
        .datasets
        .iter()
        .enumerate()
        .map(|(index, dataset)| part(index, dataset, inventory, removed))
        .collect::<Result<Vec<_>, _>>()?;
    let mut sheets = Vec::new();
    for (rank, (product, directory)) in directories.iter().enumerate() {
        for device in [false, true] {
            let sheet = Sheet {
                product: super::record::number(rank),
                directory: directory.clone(),
                device,
                columns: Vec::new(),
                places: vec![Vec::new(); datasets.len()],
                rows: 0,
            };
            let sheet = fill(sheet, product, work, &datasets, catalog);
            if sheet.rows > 0 {
                sheets.push(sheet);
            }
        }
    }
    Ok(Layout { sheets, datasets })
}

fn part(
    index: usize,
    dataset: &AccessDataset,
    inventory: &Inventory,
    removed: &Removed,
) -> Result<DatasetPart, AccessError> {
    let leaves = inventory.datasets.get(&dataset.dataset).map(|files| files.leaves.as_slice());
    let leaf = |column: usize| {
        let leaf = usize::from(dataset.columns[column].leaf);
        leaves.and_then(|leaves| leaves.get(leaf)).ok_or(AccessError::Bug("a column has no leaf"))
    };
    let kinds = [eligible(dataset, true), eligible(dataset, false)];
    let mut cells = [Vec::new(), Vec::new()];
    let mut lists = [Vec::new(), Vec::new()];
    for (kind, columns) in kinds.iter().enumerate() {
        for &column in columns {
            cells[kind].push(leaf(column)?.path.clone());
            lists[kind].push(leaf(column)?.lists.clone());
        }
    }
    let mut counts = DatasetCounts {
        dataset: dataset.dataset.clone(),
        person_rows: 0,
        device_rows: 0,
        duplicates_removed: 0,
    };
    for (row, access) in dataset.rows.iter().enumerate() {
        match (removed.contains(index, row), access.person) {
            (true, _) => counts.duplicates_removed += 1,
            (false, true) => counts.person_rows += 1,
            (false, false) => counts.device_rows += 1,
        }
    }
    Ok(DatasetPart { counts, cells, lists })
}

/// Fills in a sheet's columns: timestamps that no policy lists first, then the policies' fields in
/// their order, datasets by name; a path that several datasets have is one column.
fn fill(
    mut sheet: Sheet,
    product: &Product,
    work: &AccessWork,
    parts: &[DatasetPart],
    catalog: &Catalog,
) -> Sheet {
    let kind = usize::from(sheet.device);
    let mine: Vec<usize> = (0..parts.len())
        .filter(|index| {
            let counts = &parts[*index].counts;
            let rows = if sheet.device { counts.device_rows } else { counts.person_rows };
            sheet.rows += if work.datasets[*index].product == *product { rows } else { 0 };
            work.datasets[*index].product == *product && rows > 0
        })
        .collect();
    let unlisted = mine.iter().filter_map(|index| {
        let dataset = catalog.dataset(&parts[*index].counts.dataset)?;
        let timestamp = dataset.timestamp.as_ref()?;
        let listed = dataset.fields.iter().any(|field| field.path.covers(timestamp));
        (!listed && parts[*index].cells[kind].contains(timestamp)).then_some(timestamp)
    });
    let fields = mine.iter().flat_map(|index| &parts[*index].cells[kind]);
    let mut order: BTreeMap<&FieldPath, usize> = BTreeMap::new();
    for path in unlisted.chain(fields) {
        order.entry(path).or_insert_with(|| {
            sheet.columns.push(path.clone());
            sheet.columns.len() - 1
        });
    }
    for index in mine {
        sheet.places[index] =
            parts[index].cells[kind].iter().filter_map(|path| order.get(path).copied()).collect();
    }
    sheet
}

/// The directory of each product: its name as the first dataset writes it. A name that would collide
/// with a file at the top gets underscores.
fn directories(work: &AccessWork) -> Result<BTreeMap<&Product, String>, AccessError> {
    let mut directories: BTreeMap<&Product, String> = BTreeMap::new();
    for dataset in &work.datasets {
        // Checked when the policy was read; checked again here, where it becomes a path.
        if Product::new(dataset.product.as_str()).is_err() {
            return Err(AccessError::Bug("a product's name cannot be a directory"));
        }
        directories.entry(&dataset.product).or_insert_with(|| dataset.product.as_str().to_owned());
    }
    let taken: BTreeSet<String> = directories.keys().map(|p| p.folded().to_owned()).collect();
    for directory in directories.values_mut() {
        if TOP.contains(&directory.to_lowercase().as_str()) {
            directory.push('_');
            while taken.contains(&directory.to_lowercase()) {
                directory.push('_');
            }
        }
    }
    Ok(directories)
}
