//! Data below a root that no dataset covers.

use crate::diagnostic::Diagnostic;
use crate::manifest::codes::data as codes;
use crate::model::{Ignored, Position};

use super::{grouped, warning};

/// What a look below a root found. Made by the engine.
#[derive(Debug, Clone, Default)]
pub struct RootLook {
    /// Sorted by what is shown.
    pub uncovered: Vec<Uncovered>,
    /// Places that could not be looked at: what is shown, and why; sorted.
    pub problems: Vec<(String, String)>,
    /// Numbers of ignored locations below the root that name nothing.
    pub idle: Vec<usize>,
}

/// One directory that looks like a dataset, with its partitions; or a single file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// The path to show; partition values are `***`.
    pub shown: String,
    /// What it is.
    pub what: UncoveredKind,
}

/// What is not covered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UncoveredKind {
    /// One Parquet file.
    File,
    /// That many Parquet files in a directory and its partitions, of which no other is covered.
    Directory(u64),
    /// That many Parquet files beside others that a dataset covers, and one of them to show.
    Beside(u64, String),
    /// A table of another format, such as `a Delta table`.
    Table(&'static str),
}

const IGNORE: &str = "`coverage: {ignore: [{location: …, reason: …}]}`";

/// Warnings of what was found, and of what was ignored in vain.
pub fn uncovered(look: &RootLook, ignored: &[Ignored]) -> Vec<Diagnostic> {
    let at = |shown: &str| Position { file: shown.to_owned(), line: 0, column: 0 };
    let found = look.uncovered.iter().map(|place| {
        let shown = &place.shown;
        let what = match &place.what {
            UncoveredKind::File => shown.clone(),
            UncoveredKind::Directory(1) => format!("the Parquet file in {shown}"),
            UncoveredKind::Directory(files) => {
                format!("the {} Parquet files in {shown}", grouped(*files))
            }
            UncoveredKind::Beside(files, example) => {
                format!("{} of the Parquet files in {shown}, such as {example}", grouped(*files))
            }
            UncoveredKind::Table(format) => format!("{shown}, {format}"),
        };
        warning(
            codes::UNCOVERED,
            &at(shown),
            format!("no dataset covers {what}"),
            format!("write a Dataset for it, or say why not in Settings: {IGNORE}"),
        )
    });
    let problems = look.problems.iter().map(|(shown, what)| {
        warning(
            codes::NOT_LOOKED_AT,
            &at(shown),
            format!("{shown} {what}"),
            format!(
                "it could hold data that no dataset covers: mend it, name where a link leads as a `--root`, or say \
                 in Settings why it is left out: {IGNORE}"
            ),
        )
    });
    let idle = look.idle.iter().filter_map(|number| ignored.get(*number)).map(|ignored| {
        warning(
            codes::IGNORED_IN_VAIN,
            &ignored.position,
            format!("{} is ignored, and not there", ignored.location),
            "correct the location, or remove the entry".to_owned(),
        )
    });
    found.chain(problems).chain(idle).collect()
}
