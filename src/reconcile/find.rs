//! `find`: where a subject appears, without a request.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::diagnostic::{Diagnostic, Severity, arrange};
use crate::engine::{Engine, EngineError, ProbeOptions};
use crate::manifest::Loaded;
use crate::model::{
    Catalog, Dataset, Environment, FieldPath, Key, LeafType, Name, Namespace, NamespaceName,
    Sensitive,
};
use crate::plan::{DatasetFiles, IdentityId, Inventory, Probe, ProbeLeaf, Resolved, RowKey};

use super::gather::{Texts, engine, inventory, layout_diagnostics, reserved};
use super::search::MOST_UNREADABLE;
use super::{Event, Events, PassError, Verdict, Workspace};

/// What `find` found.
#[derive(Debug)]
pub struct FindReport {
    /// The fields of the breakdown, as asked for.
    pub by: Vec<String>,
    /// By name: the datasets of the environment that the namespaces reach.
    pub datasets: Vec<FoundDataset>,
    /// What is wrong with the policies' neighbourhood; none of it about the identities.
    pub diagnostics: Vec<Diagnostic>,
    /// What could not be searched, in words: a dataset, or files of it.
    pub problems: Vec<String>,
    /// Why nothing was searched: the policies are invalid, or the datasets overlap.
    pub failure: Option<PassError>,
    /// How the command should end.
    pub verdict: Verdict,
}

/// One dataset.
#[derive(Debug)]
pub struct FoundDataset {
    /// The dataset.
    pub dataset: Name,
    /// Files with a matching row.
    pub files: u64,
    /// Matching rows.
    pub rows: u64,
    /// The rows broken down, most first; empty where nothing was asked.
    pub by: Vec<FoundBreakdown>,
}

/// Rows that share the values of the fields asked for.
#[derive(Debug)]
pub struct FoundBreakdown {
    /// One value a field; `None` is null, or a field that the dataset lacks.
    pub values: Vec<Option<String>>,
    /// Rows.
    pub rows: u64,
}

/// The name by which `--by` means the data source.
const SOURCE: &str = "source";

/// Identities as given: namespace and value.
type Given = (String, Sensitive<String>);

/// Finds identities in every dataset of their environment, without expansion. What cannot be searched is said
/// in the report, beside the rest.
///
/// # Errors
/// A namespace, value or field that cannot be; data that cannot be looked at at all.
pub fn find(
    workspace: &Workspace,
    identities: Vec<Given>,
    by: &[String],
    events: &mut dyn Events,
) -> Result<FindReport, PassError> {
    let texts = Texts::policies(workspace)?;
    let Loaded { catalog, catalog_valid, diagnostics, .. } = texts.load(workspace.clock.now());
    let errors = diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
    let mut report = FindReport {
        by: by.to_vec(),
        datasets: Vec::new(),
        diagnostics: errors.collect(),
        problems: Vec::new(),
        failure: None,
        verdict: Verdict::Done,
    };
    if !catalog_valid {
        report.fails(PassError::InvalidPolicies);
        return Ok(report);
    }
    let wanted = Wanted::new(&catalog, identities, events)?;
    let fields = breakdown_fields(&catalog, wanted.environment, by)?;
    let engine = engine(workspace, &catalog)?;
    let datasets: Vec<&Dataset> = catalog.in_environment(wanted.environment).collect();
    let inventory = match inventory(&engine, &datasets, &reserved(workspace, &catalog)) {
        Ok(inventory) => inventory,
        Err(PassError::Layout { faults }) => {
            report.diagnostics.extend(layout_diagnostics(&texts, &catalog, &faults));
            arrange(&mut report.diagnostics);
            report.fails(PassError::Layout { faults });
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    events.event(Event::Stage { name: "searching", steps: datasets.len() as u64 });
    for dataset in datasets {
        let Some(files) = inventory.datasets.get(&dataset.name) else { continue };
        let left_out = BTreeSet::new();
        let mut looking = Looking { engine: &engine, dataset, files, fields: &fields, left_out };
        loop {
            match looking.look(&wanted) {
                Ok(entry) => report.datasets.push(entry),
                Err(problem) => {
                    report.misses(&dataset.name, &problem.to_string(), events);
                    if looking.leave_out(&problem) {
                        continue;
                    }
                }
            }
            break;
        }
        for problem in problems(&inventory, &dataset.name) {
            report.misses(&dataset.name, &problem, events);
        }
        events.event(Event::Step { what: format!("searched {}", dataset.name) });
    }
    Ok(report)
}

impl FindReport {
    /// Something of a dataset could not be searched.
    fn misses(&mut self, dataset: &Name, problem: &str, events: &mut dyn Events) {
        let text = format!("{dataset}: {problem}");
        self.verdict = self.verdict.and(Verdict::Partial);
        self.problems.push(text.clone());
        events.event(Event::Notice { text });
    }

    fn fails(&mut self, failure: PassError) {
        self.verdict = failure.verdict();
        self.failure = Some(failure);
    }
}

/// What makes a dataset, or files of it, unreadable, in words.
pub(super) fn problems<'a>(
    inventory: &'a Inventory,
    dataset: &Name,
) -> impl Iterator<Item = String> + 'a {
    let problems = inventory.datasets.get(dataset).map(|files| files.problems.as_slice());
    problems
        .unwrap_or_default()
        .iter()
        .map(|problem| format!("{}: {}", problem.shown, problem.what))
}

/// The identities, by namespace.
pub(super) struct Wanted {
    pub(super) environment: Environment,
    pub(super) by_namespace: BTreeMap<NamespaceName, (Namespace, Vec<Sensitive<String>>)>,
}

impl Wanted {
    /// Checks identities as they were given.
    pub(super) fn new(
        catalog: &Catalog,
        identities: Vec<Given>,
        events: &mut dyn Events,
    ) -> Result<Self, PassError> {
        let mut by_text: HashMap<String, Vec<Sensitive<String>>> = HashMap::new();
        for (text, value) in identities {
            match by_text.get_mut(&text) {
                Some(values) => values.push(value),
                None => drop(by_text.insert(text, vec![value])),
            }
        }
        let mut by_namespace: BTreeMap<NamespaceName, (Namespace, Vec<Sensitive<String>>)> =
            BTreeMap::new();
        for (text, mut values) in by_text {
            let name = NamespaceName::new(&text).ok_or_else(|| PassError::Argument {
                what: "a namespace has letters, digits, '_', '-' and spaces only".to_owned(),
                hint: "an identity is NAMESPACE=VALUE".to_owned(),
            })?;
            let namespace = catalog.namespace(&name);
            check_values(catalog, &namespace, &values)?;
            let entry = by_namespace.entry(name).or_insert_with(|| (namespace, Vec::new()));
            entry.1.append(&mut values);
        }
        let qa: BTreeSet<bool> = by_namespace.keys().map(NamespaceName::is_qa).collect();
        if qa.len() > 1 {
            return Err(PassError::Argument {
                what: "qa- namespaces and others cannot be mixed".to_owned(),
                hint: "qa- namespaces reach test datasets only".to_owned(),
            });
        }
        let environment =
            if qa.contains(&true) { Environment::Test } else { Environment::Production };
        for name in by_namespace.keys() {
            let carried = catalog
                .in_environment(environment)
                .flat_map(|dataset| &dataset.fields)
                .any(|field| field.namespace.as_ref() == Some(name));
            if !carried {
                events.event(Event::Notice {
                    text: format!(
                        "warning: no dataset carries the namespace {name}: it matches nothing"
                    ),
                });
            }
        }
        Ok(Self { environment, by_namespace })
    }

    /// The probe of one dataset; its leaves' keys are made side by side.
    pub(super) fn probe(&self, resolved: &Resolved<'_>) -> Probe {
        let wanted: Vec<_> = resolved
            .id_leaves()
            .filter_map(|(leaf, name)| Some((leaf, self.by_namespace.get(name)?)))
            .collect();
        let mut leaves: Vec<ProbeLeaf> = std::thread::scope(|scope| {
            let makers: Vec<_> = wanted
                .iter()
                .map(|(leaf, (namespace, values))| {
                    scope.spawn(move || ProbeLeaf {
                        leaf: leaf.index,
                        namespace: namespace.clone(),
                        keys: keys(&leaf.leaf.kind, namespace, values),
                    })
                })
                .collect();
            let made = makers.into_iter().map(std::thread::ScopedJoinHandle::join);
            made.map(|leaf| leaf.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        // Each leaf's identities get numbers of their own: what matches is all that counts here.
        let mut next: u32 = 0;
        for leaf in &mut leaves {
            for (_, id) in &mut leaf.keys {
                *id = IdentityId(next);
                next = next.saturating_add(1);
            }
        }
        Probe { leaves, alone: (0..next).map(IdentityId).collect(), ..Probe::default() }
    }
}

/// Values must have the namespace's format and stand for somebody.
pub(super) fn check_values(
    catalog: &Catalog,
    namespace: &Namespace,
    values: &[Sensitive<String>],
) -> Result<(), PassError> {
    let prefixes = catalog.settings.erased_prefixes();
    let bad = values.iter().map(Sensitive::expose).any(|value| {
        let format = namespace.format.as_ref();
        format.is_some_and(|format| !format.is_match(&namespace.normalized(value)))
            || namespace.is_placeholder(&namespace.canonical(value), &prefixes)
    });
    if !bad {
        return Ok(());
    }
    Err(PassError::Argument {
        what: format!(
            "a value of namespace {} is not formatted correctly, or stands for nobody",
            namespace.name
        ),
        hint: "see the namespace's format and ignore list in the policies".to_owned(),
    })
}

/// The keys of one leaf's values in its own type, sorted; not numbered yet.
fn keys(
    leaf: &LeafType,
    namespace: &Namespace,
    values: &[Sensitive<String>],
) -> Vec<(Key, IdentityId)> {
    let keys = values.iter().filter_map(|value| leaf.key(namespace, value.expose()));
    let mut keys: Vec<(Key, IdentityId)> = keys.map(|key| (key, IdentityId(0))).collect();
    keys.sort_unstable();
    keys
}

/// What `--by` breaks down by.
enum By {
    /// A selectable field.
    Field(FieldPath),
    /// The dataset's data source, which `only.sources` of a request takes.
    Source,
}

/// The fields of `--by`: each must be selectable in some dataset of the environment, or be `source`.
fn breakdown_fields(
    catalog: &Catalog,
    environment: Environment,
    by: &[String],
) -> Result<Vec<By>, PassError> {
    let selectable: BTreeSet<&FieldPath> = catalog
        .in_environment(environment)
        .flat_map(|dataset| &dataset.fields)
        .filter(|field| field.selectable)
        .map(|field| &field.path)
        .collect();
    by.iter()
        .map(|text| {
            selectable
                .iter()
                .find(|path| path.to_string() == *text)
                .map(|path| By::Field((*path).clone()))
                .or_else(|| (text == SOURCE).then_some(By::Source))
                .ok_or_else(|| {
                    let known = selectable.iter().map(ToString::to_string);
                    let known: Vec<String> = [SOURCE.to_owned()].into_iter().chain(known).collect();
                    PassError::Argument {
                        what: format!("--by: no dataset has a selectable field {text:?}"),
                        hint: format!(
                            "one of: {}; policies mark fields with selectable: true",
                            known.join(", ")
                        ),
                    }
                })
        })
        .collect()
}

/// One dataset under the eyes of `find`.
struct Looking<'a> {
    engine: &'a Engine,
    dataset: &'a Dataset,
    files: &'a DatasetFiles,
    fields: &'a [By],
    /// Files that turned out unreadable.
    left_out: BTreeSet<u32>,
}

impl Looking<'_> {
    /// Leaves out the file that could not be read; whether that is one more, and they are not too many.
    fn leave_out(&mut self, problem: &EngineError) -> bool {
        let (EngineError::Unreadable { shown, .. } | EngineError::Changed { shown }) = problem
        else {
            return false;
        };
        let before = self.left_out.len();
        let files = (0..).zip(&self.files.files).filter(|(_, file)| file.shown == *shown);
        self.left_out.extend(files.map(|(index, _)| index));
        self.left_out.len() > before && self.left_out.len() <= MOST_UNREADABLE
    }

    fn look(&self, wanted: &Wanted) -> Result<FoundDataset, EngineError> {
        let resolved = Resolved::new(self.dataset, self.files);
        let probe = wanted.probe(&resolved);
        let name = self.dataset.name.clone();
        if probe.alone.is_empty() {
            return Ok(FoundDataset { dataset: name, files: 0, rows: 0, by: Vec::new() });
        }
        let rest: Vec<u32> = (0..)
            .zip(&self.files.files)
            .map(|(index, _)| index)
            .filter(|index| !self.left_out.contains(index))
            .collect();
        let options = ProbeOptions { candidates: Some(&rest), ..ProbeOptions::default() };
        if self.fields.is_empty() {
            let counts = self.engine.count_rows(self.files, probe, options)?;
            return Ok(FoundDataset {
                dataset: name,
                files: counts.iter().filter(|rows| **rows > 0).count() as u64,
                rows: counts.iter().sum(),
                by: Vec::new(),
            });
        }
        let hits = self.engine.probe(self.files, probe, options)?;
        let mut rows: Vec<RowKey> = hits.iter().map(|hit| hit.at).collect();
        rows.dedup();
        let files: BTreeSet<u32> = rows.iter().map(|row| row.file).collect();
        let by = self.break_down(&resolved, &rows)?;
        Ok(FoundDataset { dataset: name, files: files.len() as u64, rows: rows.len() as u64, by })
    }

    fn break_down(
        &self,
        resolved: &Resolved<'_>,
        rows: &[RowKey],
    ) -> Result<Vec<FoundBreakdown>, EngineError> {
        let columns: Vec<Option<u16>> = self
            .fields
            .iter()
            .map(|by| match by {
                By::Field(path) => resolved
                    .by_path(path)
                    .filter(|leaf| leaf.field.is_some_and(|(_, f)| f.selectable))
                    .map(|leaf| leaf.index),
                By::Source => None,
            })
            .collect();
        let mut leaves: Vec<u16> = columns.iter().flatten().copied().collect();
        leaves.sort_unstable();
        leaves.dedup();
        let mut values: HashMap<(RowKey, u16), String> = HashMap::new();
        for value in self.engine.values(self.files, rows, &leaves)? {
            if let Some(leaf) = resolved.leaf(value.leaf) {
                let text = leaf.leaf.kind.text(value.value.expose());
                let cell = values.entry((value.at, value.leaf)).or_default();
                if !cell.is_empty() {
                    cell.push_str(", ");
                }
                cell.push_str(&text);
            }
        }
        let mut groups: BTreeMap<Vec<Option<String>>, u64> = BTreeMap::new();
        for row in rows {
            let group = columns
                .iter()
                .zip(self.fields)
                .map(|(column, by)| match by {
                    By::Field(_) => column.and_then(|leaf| values.get(&(*row, leaf)).cloned()),
                    By::Source => Some(self.dataset.source.clone()),
                })
                .collect();
            *groups.entry(group).or_default() += 1;
        }
        let mut groups: Vec<FoundBreakdown> =
            groups.into_iter().map(|(values, rows)| FoundBreakdown { values, rows }).collect();
        groups.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.values.cmp(&b.values)));
        Ok(groups)
    }
}
