//! From candidates and footers to [`DatasetFiles`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::{Dataset, FieldPath, Leaf, hex};
use crate::plan::{DataFile, DatasetFiles, FileProblem, LeafForm, OwnLeaf, RowGroup};

use super::super::schema::{FileLeaf, Union};
use super::{Candidate, Opened, Walked};

/// Leaves are counted in 16 bits.
const MOST_LEAVES: usize = u16::MAX as usize;

/// Puts a dataset together.
pub(super) fn assemble(
    dataset: &Dataset,
    walked: Walked,
    opened: Vec<Result<Opened, String>>,
) -> DatasetFiles {
    let Walked { candidates, mut problems, roots, base } = walked;
    let mut readable: Vec<(Candidate, Opened)> = Vec::with_capacity(candidates.len());
    for (candidate, opened) in candidates.into_iter().zip(opened) {
        match opened {
            Ok(opened) => readable.push((candidate, opened)),
            Err(what) => {
                problems.push(FileProblem::of_file(candidate.path, candidate.shown, what));
            }
        }
    }
    readable.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    let partitions = partition_columns(&readable, &mut problems);
    let mut union = Union::default();
    for (candidate, opened) in &readable {
        for what in union.add(&opened.leaves) {
            problems.push(FileProblem::of_dataset(&candidate.shown, what));
        }
    }
    let mut leaves = union.finish(&partitions);
    if leaves.len() > MOST_LEAVES {
        let what = format!("has {} columns; {MOST_LEAVES} is the most", leaves.len());
        problems.push(FileProblem::of_dataset(&dataset.location, what));
        leaves.truncate(MOST_LEAVES);
    }
    let index: HashMap<&FieldPath, usize> = leaves
        .iter()
        .enumerate()
        .filter(|(_, leaf)| !leaf.partition)
        .map(|(at, leaf)| (&leaf.path, at))
        .collect();
    let mut shared = HashSet::new();
    let files: Vec<DataFile> = readable
        .into_iter()
        .map(|(candidate, opened)| {
            let own = own_leaves(&opened.leaves, &leaves, &index, &mut shared);
            DataFile { own, ..data_file(candidate, opened, &leaves, &index) }
        })
        .collect();
    problems.sort();
    problems.dedup();
    let digest = digest(&files);
    DatasetFiles { dataset: dataset.name.clone(), roots, base, files, leaves, digest, problems }
}

/// The partition columns, which all files must share.
fn partition_columns(
    readable: &[(Candidate, Opened)],
    problems: &mut Vec<FileProblem>,
) -> Vec<String> {
    let names = |candidate: &Candidate| -> Vec<String> {
        candidate.partitions.iter().map(|(name, _)| name.clone()).collect()
    };
    let mut kinds: HashMap<Vec<String>, usize> = HashMap::new();
    for (candidate, _) in readable {
        *kinds.entry(names(candidate)).or_default() += 1;
    }
    // Most files decide, so that the odd ones out are those that are named.
    let usual = kinds.into_iter().max_by(|(a, n), (b, m)| n.cmp(m).then_with(|| b.cmp(a)));
    let Some((usual, _)) = usual else { return Vec::new() };
    for (candidate, _) in readable {
        let own = names(candidate);
        if own != usual {
            let what = format!(
                "lies in partitions {} where other files have {}",
                listed(&own),
                listed(&usual)
            );
            problems.push(FileProblem::of_dataset(&candidate.shown, what));
        }
    }
    usual
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "(none)".to_owned() } else { format!("({})", names.join(", ")) }
}

fn data_file(
    candidate: Candidate,
    opened: Opened,
    leaves: &[Leaf],
    index: &HashMap<&FieldPath, usize>,
) -> DataFile {
    let Opened { stamp, trace, groups, leaves: own, .. } = opened;
    let places: Vec<Option<usize>> =
        own.iter().map(|leaf: &FileLeaf| index.get(&leaf.path).copied()).collect();
    let row_groups: Vec<RowGroup> = groups
        .into_iter()
        .map(|group| {
            let mut chunk_bytes = vec![0; leaves.len()];
            for (column, place) in group.bytes.into_iter().zip(&places) {
                if let Some(bytes) = place.and_then(|place| chunk_bytes.get_mut(place)) {
                    *bytes = column;
                }
            }
            RowGroup { rows: group.rows, chunk_bytes }
        })
        .collect();
    DataFile {
        path: candidate.path,
        shown: candidate.shown,
        size: stamp.size,
        rows: row_groups.iter().map(|group| group.rows).sum(),
        stamp,
        trace,
        row_groups,
        partitions: candidate.partitions,
        own: Arc::default(),
    }
}

/// What of a file's leaves is not as the dataset says. Equal lists are one.
fn own_leaves(
    file: &[FileLeaf],
    leaves: &[Leaf],
    index: &HashMap<&FieldPath, usize>,
    shared: &mut HashSet<Arc<[OwnLeaf]>>,
) -> Arc<[OwnLeaf]> {
    let mut held: Vec<Option<&FileLeaf>> = vec![None; leaves.len()];
    for leaf in file {
        if let Some(place) = index.get(&leaf.path).and_then(|at| held.get_mut(*at)) {
            *place = Some(leaf);
        }
    }
    let differs = |(leaf, (known, held)): (u16, (&Leaf, Option<&FileLeaf>))| match held {
        None => (!known.partition).then_some(OwnLeaf { leaf, form: None }),
        Some(own) => (own.kind != known.kind || own.nullable != known.nullable).then(|| {
            let form = LeafForm { kind: own.kind.clone(), nullable: own.nullable };
            OwnLeaf { leaf, form: Some(form) }
        }),
    };
    let own: Arc<[OwnLeaf]> =
        (0..=u16::MAX).zip(leaves.iter().zip(held)).filter_map(differs).collect();
    match shared.get(&own) {
        Some(known) => Arc::clone(known),
        None => {
            shared.insert(Arc::clone(&own));
            own
        }
    }
}

/// SHA-256 over names, sizes, versions and footers. Names are as shown: the digest stands in plans, so
/// it covers no partition value that identifies somebody.
fn digest(files: &[DataFile]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        for text in [file.shown.as_str(), &file.stamp.footer] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(file.stamp.size.to_le_bytes());
        hash.update(file.stamp.modified.to_le_bytes());
        hash.update(file.stamp.inode.to_le_bytes());
    }
    hex(&hash.finalize())
}
