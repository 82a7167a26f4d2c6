//! Columns that look like personal data and that no label covers.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::manifest::codes::data as codes;
use crate::model::{Catalog, Dataset, Field, FieldPath, Label, Leaf, LeafType, Name};
use crate::plan::{Inventory, Resolved, ResolvedLeaf};

use super::names::{self, Hint};
use super::{Likeness, Tally, grouped, warning};

/// A leaf to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyLeaf {
    /// Index into [`crate::plan::DatasetFiles::leaves`].
    pub leaf: u16,
    /// What its name says.
    pub hint: Option<Hint>,
    /// Its values are to be sampled; otherwise its name says enough, or its type holds nothing to look at.
    pub sampled: bool,
}

/// What the sample of one dataset gave. Made by the engine.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// By leaf.
    pub tallies: BTreeMap<u16, Tally>,
    /// What could not be read, as `PATH: WHAT`; never a value.
    pub problems: Vec<String>,
}

/// The leaves of a dataset that carry no label, are not `pii`, and of which no `reason` says why: those of
/// them whose names or values can look like personal data.
pub fn to_survey(resolved: &Resolved<'_>) -> Vec<SurveyLeaf> {
    let leaves = resolved.leaves().iter().filter(|leaf| !is_covered(leaf));
    leaves
        .filter_map(|leaf| {
            let hint = names::hint(&resolved.dataset.name, &leaf.leaf.path)
                .filter(|hint| hint.can_be(leaf.leaf));
            let sampled = is_sampled(&leaf.leaf.kind);
            (sampled || hint.is_some()).then_some(SurveyLeaf { leaf: leaf.index, hint, sampled })
        })
        .collect()
}

fn is_covered(leaf: &ResolvedLeaf<'_>) -> bool {
    leaf.field
        .is_some_and(|(_, field)| !field.labels.is_empty() || field.pii || field.reason.is_some())
}

/// Whether values of the type can be any of the kinds: texts, and whole numbers of nine digits and more.
const fn is_sampled(kind: &LeafType) -> bool {
    match kind {
        LeafType::Text | LeafType::Binary => true,
        LeafType::FixedBinary(bytes) => *bytes <= 64,
        LeafType::Int { bits, .. } => *bits >= 32,
        LeafType::Decimal { precision, scale } => *scale == 0 && *precision >= 9,
        _ => false,
    }
}

impl Hint {
    /// Whether a column of this type can be what its name says.
    fn can_be(self, leaf: &Leaf) -> bool {
        use Likeness::{BirthDate, Ip};
        match &leaf.kind {
            LeafType::Text | LeafType::Binary => true,
            LeafType::FixedBinary(bytes) => *bytes > 4 || self.likeness == Ip,
            LeafType::Int { bits, .. } => *bits >= 32 && self.likeness.fits_numbers(),
            LeafType::Decimal { scale, .. } => *scale == 0 && self.likeness.fits_numbers(),
            LeafType::Float => {
                !matches!(self.likeness, Ip | BirthDate) && self.likeness.fits_numbers()
            }
            LeafType::Date | LeafType::Timestamp(_) => self.likeness == BirthDate,
            LeafType::Uuid | LeafType::Bool | LeafType::Other(_) => false,
        }
    }
}

/// Warnings of columns that look personal, and of samples that could not be taken. Datasets without a survey
/// are passed over.
pub fn personal(
    catalog: &Catalog,
    inventory: &Inventory,
    surveys: &BTreeMap<Name, Survey>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for dataset in &catalog.datasets {
        let (Some(files), Some(survey)) =
            (inventory.datasets.get(&dataset.name), surveys.get(&dataset.name))
        else {
            continue;
        };
        found.extend(survey.problems.iter().map(|problem| {
            warning(
                codes::NOT_SAMPLED,
                &dataset.position,
                format!("values could not be looked at: {problem}"),
                "mend the file or move it away: passes read it, too".to_owned(),
            )
        }));
        let resolved = Resolved::new(dataset, files);
        let tallies = survey.tallies.iter();
        found.extend(
            tallies.filter_map(|(leaf, tally)| of_leaf(dataset, resolved.leaf(*leaf)?, tally)),
        );
    }
    found
}

fn of_leaf(dataset: &Dataset, leaf: &ResolvedLeaf<'_>, tally: &Tally) -> Option<Diagnostic> {
    let (likeness, evidence) = evidence(&leaf.leaf.path, tally)?;
    let (at, what) = match leaf.field {
        Some((_, field)) => (&field.position, "label it"),
        None => (&dataset.position, "list it under fields"),
    };
    // What would have an effect here.
    let person = dataset.fields.iter().any(Field::is_person_id);
    let erase = if person { Label::DelPerson } else { Label::DelDevice };
    let show = if person { Label::AccPerson } else { Label::AccAll };
    let labels = match leaf.leaf.partition {
        true => format!("[{}, {show}]", likeness.label()),
        false => format!("[{}, {erase}, {show}]", likeness.label()),
    };
    Some(warning(
        codes::LOOKS_PERSONAL,
        at,
        format!("{} carries no label, and looks personal: {evidence}", leaf.leaf.path),
        format!(
            "{what}, such as `labels: {labels}`, or `pii: true`; if it is no personal data, say why: `reason: …`"
        ),
    ))
}

/// What a column looks like, and why. What the values say counts before what the name says.
fn evidence(path: &FieldPath, tally: &Tally) -> Option<(Likeness, String)> {
    let values = tally.values();
    let counted = |like: u64, likeness: Likeness| match (values, like) {
        (1, 1) => format!("the one sampled value looks like {}", likeness.one()),
        (_, 1) => format!("1 of {} sampled values looks like {}", grouped(values), likeness.one()),
        _ => {
            let (like, of) = (grouped(like), grouped(values));
            format!("{like} of {of} sampled values look like {}", likeness.many())
        }
    };
    let named = tally.hint().filter(|hint| {
        hint.sure || values > 0 && hint.likeness.threshold_if_named().met(tally.as_named(), values)
    });
    let by_values =
        tally.by_values(|likeness| likeness != Likeness::Ip || !names::says_version(path));
    if let Some((likeness, like)) = by_values
        && named.is_none_or(|hint| hint.likeness != likeness && like > tally.as_named())
    {
        return Some((likeness, counted(like, likeness)));
    }
    let likeness = named?.likeness;
    let one = likeness.one();
    let text = match likeness.can_be_counted() && values > 0 {
        true => format!("its name says {one}, and {}", counted(tally.as_named(), likeness)),
        false => format!("its name says {one}"),
    };
    Some((likeness, text))
}
