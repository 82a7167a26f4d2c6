//! The files that a saved plan rests on, one by one: so that a plan that no longer fits can say which of
//! them moved.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Name;
use crate::plan::Inventory;
use crate::store::DeploymentKey;

use super::gather::Texts;

/// Files of one kind that are named; the others are counted.
const NAMED: usize = 10;

/// A file's path to what it was: enough of a digest to see a change, and to tell nothing of the content.
type Prints = BTreeMap<String, String>;

/// Policy and request files, and the files of each dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFiles {
    policies: Prints,
    /// Empty without the deployment key.
    requests: Prints,
    /// By path as it is shown.
    datasets: BTreeMap<Name, Prints>,
}

impl InputFiles {
    pub(super) fn of(texts: &Texts, inventory: &Inventory, key: Option<&DeploymentKey>) -> Self {
        // Under the key everywhere: the plan cannot be applied without it anyway.
        let print = |bytes: &[u8]| {
            key.map(|key| key.digest("input", &[bytes]).chars().take(16).collect::<String>())
        };
        let prints = |files: &[crate::manifest::source::SourceFile]| -> Prints {
            let file = |file: &crate::manifest::source::SourceFile| {
                Some((file.path.clone(), print(&file.bytes)?))
            };
            files.iter().filter_map(file).collect()
        };
        let datasets = inventory.datasets.iter().map(|(name, files)| {
            let mut prints = Prints::new();
            for file in &files.files {
                let stamp = &file.stamp;
                let known = (stamp.size, stamp.modified, stamp.inode, &stamp.footer);
                let print = print(format!("{known:?}").as_bytes()).unwrap_or_default();
                // Several files may be shown alike.
                prints.entry(file.shown.clone()).or_default().push_str(&print);
            }
            (name.clone(), prints)
        });
        Self {
            policies: prints(&texts.policies),
            requests: prints(&texts.requests),
            datasets: datasets.collect(),
        }
    }

    /// Every file that is another, new or gone since this was noted, in words.
    pub(super) fn moved(&self, now: &Self) -> Vec<String> {
        let mut lines = Vec::new();
        if self == &Self::default() {
            return lines;
        }
        differ(&mut lines, "", &self.policies, &now.policies);
        differ(&mut lines, "", &self.requests, &now.requests);
        for (name, files) in &self.datasets {
            if let Some(now) = now.datasets.get(name) {
                differ(&mut lines, &format!("dataset {name}: "), files, now);
            }
        }
        lines
    }
}

fn differ(lines: &mut Vec<String>, of: &str, saved: &Prints, now: &Prints) {
    let gone = saved.keys().filter(|path| !now.contains_key(*path)).map(|path| (path, "is gone"));
    let other = now.iter().filter_map(|(path, print)| match saved.get(path) {
        None => Some((path, "is new")),
        Some(known) if known != print => Some((path, "has changed")),
        Some(_) => None,
    });
    let all: Vec<_> = gone.chain(other).collect();
    lines.extend(all.iter().take(NAMED).map(|(path, what)| format!("{of}{path} {what}")));
    if all.len() > NAMED {
        lines.push(format!("{of}{} more files", all.len() - NAMED));
    }
}
