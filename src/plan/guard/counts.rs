//! Whether a finished plan's counts add up.

use crate::model::{Action, Phase};
use crate::plan::{Draft, Plan};

use super::{Broken, ensure};

/// Checks that a finished plan's counts add up, and that what does not run changes nothing.
///
/// # Errors
/// [`Broken`], with the first violation.
pub fn guard_plan(plan: &Plan, draft: &Draft) -> Result<(), Broken> {
    ensure(plan.tasks.len() == draft.tasks.len(), || "tasks are missing".to_owned())?;
    let (mut rows_total, mut cells_total, mut blocked) = (0, 0, 0);
    for (planned, task) in plan.tasks.iter().zip(&draft.tasks) {
        let id = &task.id;
        blocked += u64::from(planned.phase == Phase::Blocked);
        for dataset in &planned.datasets {
            let name = &dataset.dataset;
            let matched = dataset.person_rows + dataset.device_rows;
            let in_files: u64 = dataset.files.iter().map(|file| file.rows).sum();
            ensure(matched == in_files, || format!("{id}: rows of {name} do not add up"))?;
            let erased: u64 = dataset.files.iter().map(|file| file.rows_erased).sum();
            ensure(erased == dataset.rows_erased && erased <= matched, || {
                format!("{id}: erased rows of {name} do not add up")
            })?;
            let cells: u64 = dataset.files.iter().map(|file| file.cells_erased).sum();
            let fields = dataset.fields.iter().filter(|field| field.method != "row");
            let by_field: u64 = fields.map(|field| field.cells).sum();
            ensure(cells == by_field, || format!("{id}: erased cells of {name} do not add up"))?;
            ensure(task.runs || (erased == 0 && cells == 0), || {
                format!("{id} does not run, and erases")
            })?;
            let deletes = id.action == Some(Action::Delete);
            ensure(deletes || (erased == 0 && cells == 0), || {
                format!("{id} is no delete, and erases")
            })?;
            // What waits for an approval is shown, and not done.
            if !planned.needs_approval() {
                rows_total += erased;
                cells_total += cells;
            }
        }
    }
    let totals = &plan.totals;
    let same = totals.rows_erased == rows_total
        && totals.cells_erased == cells_total
        && totals.blocked == blocked;
    ensure(same, || "the totals do not add up".to_owned())
}
