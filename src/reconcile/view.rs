//! `view`: a subject's records, as far as a role may see them.
//!
//! Guarantees: nothing is shown before the ledger says who looked. What may not be seen is never read. Matching
//! is that of `find`: no expansion; of lists, only the subject's own elements are shown (RULES.md section 2).

use crate::engine::access::{LookedRow, SeenCell, look};
use crate::engine::{Engine, EngineError, ProbeOptions};
use crate::manifest::Loaded;
use crate::model::{Dataset, FieldPath, Granted, Name, Sensitive};
use crate::plan::{DatasetFiles, FoundHit, Hit, Resolved, RowKey, reach};
use crate::store::{LookedAt, Record};

use super::find::{Wanted, problems};
use super::gather::{Texts, engine, inventory, reserved};
use super::roles::{Viewer, record};
use super::{Event, Events, PassError, Verdict, Workspace};

/// Identities that one look may ask for: a look is at a subject, not at a table.
const MOST: usize = 1_000;

/// What `view` shows.
#[derive(Debug)]
pub struct ViewReport {
    /// Under which role.
    pub granted: Granted,
    /// Who looks, as recorded.
    pub actor: String,
    /// By name: the datasets of the environment in which the subject has records.
    pub datasets: Vec<ViewedDataset>,
    /// How the command should end.
    pub verdict: Verdict,
}

/// The subject's records in one dataset.
#[derive(Debug)]
pub struct ViewedDataset {
    /// The dataset.
    pub dataset: Name,
    /// Matching rows.
    pub rows: u64,
    /// The columns, in schema order.
    pub columns: Vec<ViewedColumn>,
    /// The first matching rows, one cell a column; `None` is hidden.
    pub records: Vec<Vec<Option<SeenCell>>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewedColumn {
    /// Its path.
    pub path: FieldPath,
    /// The role may not see it.
    pub hidden: bool,
}

/// What is looked for, by whom, how much of it.
#[derive(Debug)]
pub struct ViewRequest<'a> {
    /// Namespace and value.
    pub identities: Vec<(String, Sensitive<String>)>,
    /// The role asked for.
    pub role: Option<&'a str>,
    /// Who looks; `None`: the user of the process.
    pub actor: Option<&'a str>,
    /// Rows to show of each dataset.
    pub limit: usize,
}

/// Shows a subject's records.
///
/// # Errors
/// Invalid policies; a namespace, value or role that cannot be; a ledger that cannot be written: nothing is
/// shown then.
pub fn view(
    workspace: &Workspace,
    request: ViewRequest<'_>,
    events: &mut dyn Events,
) -> Result<ViewReport, PassError> {
    let Loaded { catalog, catalog_valid, .. } =
        Texts::policies(workspace)?.load(workspace.clock.now());
    if !catalog_valid {
        return Err(PassError::InvalidPolicies);
    }
    let ViewRequest { identities, role, actor, limit } = request;
    if identities.len() > MOST {
        return Err(PassError::Argument {
            what: format!("more than {MOST} identities"),
            hint: "`amparo find` counts the records of many".to_owned(),
        });
    }
    let viewer = Viewer::new(&catalog, role, actor, events)?;
    let wanted = Wanted::new(&catalog, identities, events)?;
    let engine = engine(workspace, &catalog)?;
    let datasets: Vec<&Dataset> = catalog.in_environment(wanted.environment).collect();
    let inventory = inventory(&engine, &datasets, &reserved(workspace, &catalog))?;
    let mut verdict = Verdict::Done;
    let mut matched = Vec::new();
    events.event(Event::Stage { name: "searching", steps: datasets.len() as u64 });
    for dataset in datasets {
        let Some(files) = inventory.datasets.get(&dataset.name) else { continue };
        for problem in problems(&inventory, &dataset.name) {
            verdict = verdict.and(Verdict::Partial);
            events.event(Event::Notice { text: format!("{}: {problem}", dataset.name) });
        }
        let looking = Looking { engine: &engine, resolved: Resolved::new(dataset, files), files };
        match looking.find(&wanted) {
            Ok(hits) if hits.is_empty() => {}
            Ok(hits) => matched.push((looking, hits)),
            Err(problem) => {
                verdict = verdict.and(Verdict::Partial);
                events.event(Event::Notice { text: format!("{}: {problem}", dataset.name) });
            }
        }
        events.event(Event::Step { what: format!("searched {}", dataset.name) });
    }
    let looker = viewer.looker();
    let shown = looker.actor.clone();
    record(workspace, &catalog, events, |key| {
        let mut subjects: Vec<String> = wanted
            .by_namespace
            .iter()
            .flat_map(|(name, (namespace, values))| {
                values.iter().map(move |value| {
                    let canonical = Sensitive::new(namespace.canonical(value.expose()));
                    key.identity(name, &canonical)
                })
            })
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        let datasets = matched.iter().map(|(looking, hits)| LookedAt {
            dataset: looking.resolved.dataset.name.clone(),
            rows: hits.chunk_by(|a, b| a.at == b.at).count() as u64,
        });
        Record::Viewed { looker, subjects, datasets: datasets.collect() }
    })?;
    let mut datasets = Vec::new();
    for (looking, hits) in &matched {
        match looking.show(hits, &viewer.granted, limit) {
            Ok(seen) => datasets.push(seen),
            Err(problem) => {
                verdict = verdict.and(Verdict::Partial);
                let name = &looking.resolved.dataset.name;
                events.event(Event::Notice { text: format!("{name}: {problem}") });
            }
        }
    }
    Ok(ViewReport { granted: viewer.granted, actor: shown, datasets, verdict })
}

/// One dataset under the eyes of `view`.
struct Looking<'a> {
    engine: &'a Engine,
    resolved: Resolved<'a>,
    files: &'a DatasetFiles,
}

impl Looking<'_> {
    fn find(&self, wanted: &Wanted) -> Result<Vec<Hit>, EngineError> {
        let probe = wanted.probe(&self.resolved);
        if probe.alone.is_empty() {
            return Ok(Vec::new());
        }
        self.engine.probe(self.files, probe, ProbeOptions::default())
    }

    /// The first rows, sorted by file and row as the hits are.
    fn show(
        &self,
        hits: &[Hit],
        granted: &Granted,
        limit: usize,
    ) -> Result<ViewedDataset, EngineError> {
        let dataset = self.resolved.dataset;
        let columns: Vec<ViewedColumn> = self
            .resolved
            .leaves()
            .iter()
            .map(|leaf| {
                let path = &leaf.leaf.path;
                let field = leaf.field.map(|(_, field)| field);
                let hidden = !granted.sight.sees(dataset, path, field);
                ViewedColumn { path: path.clone(), hidden }
            })
            .collect();
        // What may not be seen is not read.
        let open = || self.resolved.leaves().iter().zip(&columns).filter(|(_, c)| !c.hidden);
        let leaves: Vec<u16> = open().map(|(leaf, _)| leaf.index).collect();
        let by_row: Vec<(RowKey, &[Hit])> = hits
            .chunk_by(|a, b| a.at == b.at)
            .filter_map(|hits| Some((hits.first()?.at, hits)))
            .collect();
        let rows: Vec<LookedRow> = by_row
            .iter()
            .take(limit)
            .map(|(at, hits)| {
                let found: Vec<FoundHit> = hits
                    .iter()
                    .map(|hit| FoundHit {
                        leaf: hit.leaf,
                        element: hit.element.clone(),
                        person: true,
                    })
                    .collect();
                let of = |leaf| reach(&self.resolved, leaf, &found);
                LookedRow { at: *at, reach: open().map(|(leaf, _)| of(leaf)).collect() }
            })
            .collect();
        let seen = look(self.engine, self.files, &rows, &leaves)?;
        let records = seen.into_iter().map(|cells| {
            let mut cells = cells.into_iter();
            let cell = |column: &ViewedColumn| {
                if column.hidden { None } else { cells.next().flatten() }
            };
            columns.iter().map(cell).collect()
        });
        let records = records.collect();
        let rows = by_row.len() as u64;
        Ok(ViewedDataset { dataset: dataset.name.clone(), rows, columns, records })
    }
}
