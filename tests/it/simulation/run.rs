//! A history: operations, passes, and the checks after each.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use amparo::diagnostic::{Diagnostic, has_errors};
use amparo::model::Reason;
use amparo::reconcile::{
    AppliedTask, ApplyReport, Approval, Event, Events, PassError, Verdict, apply, history, plan,
};

use super::check::{Broken, hold};
use super::ops::{Run, Step};
use super::pass::Foreseen;
use super::world::World;

/// What a cut pass unwinds with.
struct CutOff;

/// Hears what a pass says, and cuts it off after some events.
#[derive(Debug, Default)]
pub(super) struct Watch {
    said: String,
    left: Option<u8>,
    /// The intents were in the ledger.
    intended: bool,
    /// The keys of erasures were on disk.
    keyed: bool,
}

impl Events for Watch {
    fn event(&mut self, event: Event) {
        self.intended |= matches!(event, Event::Stage { name: "compiling" | "erasing", .. });
        self.keyed |= matches!(event, Event::Stage { name: "erasing", .. });
        self.said += &format!("{event:?}\n");
        if let Some(left) = &mut self.left {
            if *left == 0 {
                // As a kill would, but for the destructors.
                resume_unwind(Box::new(CutOff));
            }
            *left -= 1;
        }
    }
}

/// Runs a history in a new world.
pub(super) fn live(seed: u64, steps: &[Step]) -> Result<(), Broken> {
    let mut world = World::new(seed);
    for (number, step) in steps.iter().enumerate() {
        for op in &step.ops {
            world.act(op);
        }
        if std::env::var_os("AMPARO_SIMULATION_TRACE").is_some() {
            println!("{number}: {} {step:?}", world.model.now);
        }
        let checked = match step.run {
            Run::Whole => world.whole(),
            Run::Cut(after) => world.cut(after),
            Run::Two => world.two(),
            Run::Killed(after) => world.killed(after),
        };
        checked.map_err(|why| format!("step {number}: {why}"))?;
    }
    world.whole().map_err(|why| format!("at the end: {why}"))
}

/// The tasks of a report, and what is wrong with the files, for a failure's message.
fn listed(report: &ApplyReport) -> String {
    let tasks = report.tasks.iter().map(|applied| {
        let task = &applied.task;
        let key = task.key.as_deref().unwrap_or("-");
        let action = task.action.map_or("-", amparo::model::Action::as_str);
        format!(
            "\n  {}/{key} {action}: {} {:?} {:?}",
            task.request, task.phase, task.reason, task.message
        )
    });
    tasks.collect::<String>() + &errors(&report.diagnostics)
}

fn errors(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| has_errors(std::slice::from_ref(d)));
    errors.map(|diagnostic| format!("\n  {diagnostic:?}")).collect()
}

impl World {
    pub(super) fn pass(&self, watch: &mut Watch) -> Result<ApplyReport, PassError> {
        apply(&self.workspace(), Approval::Given, watch)
    }

    /// A pass to its end, and everything that must be true then.
    pub(super) fn whole(&mut self) -> Result<(), Broken> {
        let foreseen = self.model.foresee();
        let before = self.everything();
        let planned = plan(&self.workspace(), &mut Watch::default()).map_err(|e| e.to_string())?;
        hold!(before == self.everything(), "a plan has written");
        hold!(
            planned.verdict == foreseen.planned,
            "plan: {:?} expected, {:?} found:{}",
            foreseen.planned,
            planned.verdict,
            errors(&planned.diagnostics)
        );
        let mut watch = Watch::default();
        let report = self.pass(&mut watch).map_err(|e| e.to_string())?;
        self.settled(foreseen, &report, &watch, &format!("{:?}", planned.plan))
    }

    /// Two passes at once: one after the other, and together no more than one.
    fn two(&mut self) -> Result<(), Broken> {
        let foreseen = self.model.foresee();
        if foreseen.conflicts() {
            // What the first erases may be what a conflict is about: the second then goes on.
            return self.whole();
        }
        let one = || {
            let mut watch = Watch::default();
            let report = self.pass(&mut watch).map_err(|e| e.to_string())?;
            Ok::<_, Broken>((report, watch))
        };
        let both = std::thread::scope(|scope| {
            let handles = [scope.spawn(one), scope.spawn(one)];
            handles.map(|handle| handle.join().unwrap())
        });
        let [first, second] = both;
        let ((first, watch), (second, _)) = (first?, second?);
        hold!(first.verdict == second.verdict, "{:?}, {:?}", first.verdict, second.verdict);
        self.settled(foreseen, &first, &watch, "")
    }

    /// A pass that is cut off; what it left must be something that the next one can go on from.
    fn cut(&mut self, after: u8) -> Result<(), Broken> {
        let foreseen = self.model.foresee();
        let mut watch = Watch { left: Some(after % 40), ..Watch::default() };
        match catch_unwind(AssertUnwindSafe(|| self.pass(&mut watch))) {
            Ok(report) => {
                let report = report.map_err(|e| e.to_string())?;
                self.settled(foreseen, &report, &watch, "")
            }
            Err(cause) if cause.is::<CutOff>() => {
                self.check_secrets(&watch.said)?;
                self.adopt(foreseen, &watch)
            }
            Err(cause) => resume_unwind(cause),
        }
    }

    /// Takes over what a pass that was cut off has done.
    fn adopt(&mut self, mut foreseen: Foreseen, watch: &Watch) -> Result<(), Broken> {
        let new = self.adopt_lake(&foreseen)?;
        if !watch.intended {
            hold!(new.is_empty(), "{new:?} changed before the ledger knew");
            return Ok(());
        }
        let actual = self.status()?;
        self.unsettled.clone_from(&new);
        let model = &mut self.model;
        (model.seen, model.holds_seen) = (foreseen.after.seen, foreseen.after.holds_seen);
        model.tenants_seen = foreseen.after.tenants_seen;
        model.lives = foreseen.after.lives;
        for (id, mut known) in foreseen.after.known {
            let Some(task) = actual.get(&id) else {
                return Err(format!("{id:?} is not in the ledger after its intent"));
            };
            let (phase, reason) = (task.phase.to_string(), task.reason.map(|r| r.to_string()));
            if (phase.as_str(), reason.as_deref()) == (known.phase, known.reason) {
                if let Some(package) = id.1.clone().and_then(|key| {
                    let at = (id.0.clone(), key);
                    let package = foreseen.after.packages.remove(&at)?;
                    (package.task == id).then_some((at, package))
                }) {
                    model.packages.insert(package.0, package.1);
                }
            } else {
                let comes_back = !known.is_final();
                known = foreseen.begun.remove(&id).unwrap_or(known);
                known.phase = match phase.as_str() {
                    "Submitted" => "Submitted",
                    "Processing" => "Processing",
                    _ if phase == known.phase => known.phase,
                    _ => return Err(format!("{id:?} is {phase} {reason:?} after a cut")),
                };
                if known.phase == "Processing" {
                    known.reason = None;
                }
                if watch.keyed {
                    known.remembered.extend(foreseen.found.remove(&id).unwrap_or_default());
                }
                if known.finished.take().is_some() {
                    // A standing erasure that acts again counts anew.
                    known.erased = None;
                }
                let files = foreseen.erased.remove(&id).unwrap_or_default();
                for (file, rows) in files.iter().filter(|(file, _)| new.contains(file)) {
                    let new = known.count(file, rows, comes_back);
                    known.began = true;
                    known.erased = Some(known.erased.unwrap_or(0) + new);
                }
                for (file, gone) in foreseen.gone.iter().filter(|(file, _)| new.contains(file)) {
                    known.close_up(file, gone);
                }
            }
            model.known.insert(id, known);
        }
        Ok(())
    }

    /// Everything that must be true after a pass.
    pub(super) fn settled(
        &mut self,
        mut foreseen: Foreseen,
        report: &ApplyReport,
        watch: &Watch,
        planned: &str,
    ) -> Result<(), Broken> {
        hold!(
            report.verdict == foreseen.verdict,
            "{:?} expected, {:?} found:{}\n expected{}",
            foreseen.verdict,
            report.verdict,
            listed(report),
            foreseen.after.listed()
        );
        self.check_lake(&mut foreseen.after)?;
        if foreseen.verdict != Verdict::Invalid || !self.model.policies.broken {
            self.check_status(&mut foreseen)?;
        }
        self.check_packages(&foreseen.after)?;
        self.model = foreseen.after;
        self.unsettled.clear();
        self.check_verify()?;
        self.check_keys()?;
        let told = history(&self.workspace()).map_err(|e| e.to_string())?;
        self.check_secrets(&format!("{planned}{}{report:?}{told:?}", watch.said))?;
        let conflict = |task: &AppliedTask| task.task.reason == Some(Reason::IdentityConflict);
        if watch.keyed && report.tasks.iter().any(conflict) {
            // What was erased may have been what a conflict was about.
            return self.whole();
        }
        let before = self.everything();
        let again = self.pass(&mut Watch::default()).map_err(|e| e.to_string())?;
        hold!(
            again.verdict == report.verdict,
            "{:?}, and again: {:?}{}\n then{}",
            report.verdict,
            again.verdict,
            listed(report),
            listed(&again)
        );
        let after = self.everything();
        let changed: Vec<_> = before
            .iter()
            .filter(|(path, bytes)| after.get(*path) != Some(*bytes))
            .map(|(path, _)| path)
            .chain(after.keys().filter(|path| !before.contains_key(*path)))
            .collect();
        hold!(
            changed.is_empty(),
            "a second pass has changed {changed:?}:{}\n then{}",
            listed(report),
            listed(&again)
        );
        Ok(())
    }

    /// The bytes that no idle pass may change.
    fn everything(&self) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
        let mut all = self.bytes("lake");
        for folder in ["exports", "state/ledger", "state/keys"] {
            all.extend(self.bytes(folder));
        }
        if let Ok(head) = std::fs::read(self.path("state/head")) {
            all.insert(self.path("state/head"), head);
        }
        all
    }
}
