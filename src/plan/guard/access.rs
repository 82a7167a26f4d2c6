//! Whether a package shows only the subject's rows, and only what labels allow.

use crate::model::{Action, Label};
use crate::plan::AccessWork;

use super::facts::Facts;
use super::{Broken, ensure};

pub(super) fn package<'a>(facts: &Facts<'a>, work: &'a AccessWork) -> Result<(), Broken> {
    let (task, _) = facts.running(work.task, Action::Access)?;
    for dataset in &work.datasets {
        let name = &dataset.dataset;
        let policy = facts.situation.catalog.dataset(name);
        let Some(policy) = policy.filter(|policy| policy.environment == work.environment) else {
            return Err(Broken::new(format!("{} shows {name} of another environment", task.id)));
        };
        let files = facts.files(name)?;
        for column in &dataset.columns {
            let index = usize::from(column.leaf);
            let Some(leaf) = files.leaves.get(index) else {
                return Err(Broken::new(format!("{} shows no column of {name}", task.id)));
            };
            let has = |label| facts.field(name, index).is_some_and(|field| field.labels.has(label));
            let person_only = has(Label::AccPerson);
            let is_time = policy.timestamp.as_ref() == Some(&leaf.path);
            let shown = person_only || has(Label::AccAll) || is_time;
            ensure(shown && !(column.device && person_only), || {
                format!("{} shows {} of {name}, which no label allows", task.id, leaf.path)
            })?;
        }
        for row in &dataset.rows {
            let found = facts.row(work.task, name, row.at);
            ensure(found.is_some_and(|(found, _)| found.person == row.person), || {
                format!("{} shows a row of {name} that is not the subject's", task.id)
            })?;
        }
    }
    Ok(())
}
