//! No file may belong to two datasets, and amparo's own places lie outside all of them
//! (CONTRACT.md section 1). Links are resolved on both sides.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::model::{Dataset, Name};
use crate::plan::FileProblem;

use super::{Reserved, Shown, Walked};

/// Notes what overlaps as problems of the datasets concerned.
pub(super) fn check(
    datasets: &mut [(&Dataset, Walked)],
    working_dir: &Path,
    reserved: &[Reserved],
) {
    shared_files(datasets);
    for place in reserved {
        let path = resolve(&working_dir.join(&place.path));
        for (dataset, walked) in datasets.iter_mut() {
            let inside = walked.roots.iter().any(|root| path.starts_with(root));
            let around = walked.candidates.iter().any(|file| file.path.starts_with(&path));
            if inside || around {
                let shown = Shown::new(dataset, working_dir).path(&path);
                let what = format!(
                    "{} and the dataset `{}` overlap: it must lie outside all datasets",
                    place.what, dataset.name
                );
                let problem = FileProblem::of_dataset(shown, what);
                walked.problems.push(FileProblem { stops_pass: true, ..problem });
            }
        }
    }
}

fn shared_files(datasets: &mut [(&Dataset, Walked)]) {
    let mut owners: HashMap<(u64, u64), Vec<Name>> = HashMap::new();
    for (dataset, walked) in datasets.iter() {
        for file in &walked.candidates {
            owners.entry(file.stat.identity()).or_default().push(dataset.name.clone());
        }
    }
    for (dataset, walked) in datasets.iter_mut() {
        for file in &walked.candidates {
            let others = owners.get(&file.stat.identity()).into_iter().flatten();
            for other in others.filter(|other| **other != dataset.name) {
                let what = format!("belongs to the dataset `{other}` too");
                let problem = FileProblem::of_dataset(&file.shown, what);
                walked.problems.push(FileProblem { stops_pass: true, ..problem });
            }
        }
    }
}

/// Links resolved as far as the path exists.
pub(in crate::engine) fn resolve(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(real) = std::fs::canonicalize(ancestor) {
            return path.strip_prefix(ancestor).map_or(real.clone(), |rest| {
                if rest.as_os_str().is_empty() { real } else { real.join(rest) }
            });
        }
    }
    path.to_owned()
}
