//! What the daemon counts, for `/metrics` (docs/operations.md lists every series).
//!
//! Guarantees: labels hold phases, reasons, results and the version: never a name, key, path or value.
//! Counters count since the start; gauges are as of the newest pass, those that move with the clock as
//! of the scrape.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use metrics::{
    Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::model::{Name, Phase, Reason, TaskId};
use crate::plan::{HistoryStatus, LedgerView};

use super::{ApplyReport, Measured, PassError, Verdict};

/// From what wants attention most to what wants none: a request is in the first phase that any of its
/// tasks is in.
const PHASES: [Phase; 7] = [
    Phase::Failed,
    Phase::Blocked,
    Phase::Processing,
    Phase::Submitted,
    Phase::Rejected,
    Phase::Cancelled,
    Phase::Complete,
];

const RESULTS: [Verdict; 7] = [
    Verdict::Done,
    Verdict::Blocked,
    Verdict::Partial,
    Verdict::Stale,
    Verdict::Invalid,
    Verdict::Failed,
    Verdict::Bug,
];

/// Upper bounds of the histogram of pass durations, in seconds.
const BUCKETS: [f64; 14] =
    [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0];

/// How a request for a package ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Download {
    /// The package was handed out; the client may still go away.
    Sent,
    /// The link or the package is past its time.
    Gone,
    /// No link of ours.
    Refused,
}

/// The meters.
#[derive(Debug)]
pub(super) struct Meters {
    recorder: PrometheusRecorder,
    open: Mutex<Open>,
    durations: Histogram,
}

/// The tasks that are not done.
#[derive(Debug, Default)]
struct Open {
    /// Their due dates, sorted.
    dues: Vec<Timestamp>,
    /// How many wait for each reason; one that none has any more stays, at zero.
    reasons: BTreeMap<Reason, u32>,
    /// How often each has failed on the same grounds, and since when.
    failures: BTreeMap<TaskId, (u32, Timestamp)>,
}

impl Meters {
    /// All at zero.
    pub(super) fn new(started: Timestamp) -> Self {
        let matcher = Matcher::Full("amparo_pass_duration_seconds".to_owned());
        // Fails for an empty list of buckets only.
        let builder = PrometheusBuilder::new();
        let builder = builder.set_buckets_for_metric(matcher, &BUCKETS);
        let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let durations = with_local_recorder(&recorder, || {
            describe();
            gauge!("amparo_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            gauge!("amparo_start_time_seconds").set(seconds(started));
            for result in RESULTS {
                counter!("amparo_passes_total", "result" => word(&result)).absolute(0);
            }
            for name in [
                "amparo_rows_erased_total",
                "amparo_cells_erased_total",
                "amparo_bytes_copied_total",
                "amparo_bytes_reencoded_total",
            ] {
                counter!(name).absolute(0);
            }
            for download in [Download::Sent, Download::Gone, Download::Refused] {
                counter!("amparo_downloads_total", "result" => word(&download)).absolute(0);
            }
            gauge!("amparo_last_pass_timestamp_seconds").set(0.0);
            gauge!("amparo_last_success_timestamp_seconds").set(0.0);
            histogram!("amparo_pass_duration_seconds")
        });
        let meters = Self { recorder, open: Mutex::default(), durations };
        meters.ledger(&LedgerView::default(), started);
        meters
    }

    /// A file was erased from. It counts at once: the pass may yet fail, or never end.
    pub(super) fn erased(&self, done: Measured) {
        with_local_recorder(&self.recorder, || {
            counter!("amparo_rows_erased_total").increment(done.rows_erased);
            counter!("amparo_cells_erased_total").increment(done.cells_erased);
            counter!("amparo_bytes_copied_total").increment(done.bytes_copied);
            counter!("amparo_bytes_reencoded_total").increment(done.bytes_reencoded);
        });
    }

    /// A pass has ended.
    pub(super) fn passed(
        &self,
        result: Result<&ApplyReport, &PassError>,
        ended: Timestamp,
        took: Duration,
    ) {
        self.durations.record(took.as_secs_f64());
        let verdict = result.map_or_else(PassError::verdict, |report| report.verdict);
        with_local_recorder(&self.recorder, || {
            counter!("amparo_passes_total", "result" => word(&verdict)).increment(1);
            gauge!("amparo_last_pass_timestamp_seconds").set(seconds(ended));
            match result {
                Err(error) => {
                    counter!("amparo_pass_errors_total", "reason" => error.kind()).increment(1);
                }
                Ok(report) => {
                    if report.ledger.is_some() {
                        gauge!("amparo_last_success_timestamp_seconds").set(seconds(ended));
                    }
                }
            }
        });
        if let Some(ledger) = result.ok().and_then(|report| report.ledger.as_ref()) {
            self.failed(&ledger.view);
            self.ledger(&ledger.view, ended);
        }
        // Else the samples of a daemon that nobody scrapes pile up.
        self.recorder.handle().run_upkeep();
    }

    /// Counts the attempts that failed since the ledger was last looked at.
    fn failed(&self, view: &LedgerView) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        with_local_recorder(&self.recorder, || {
            for (id, state) in &view.tasks {
                let (Some(failure), Some(reason)) = (&state.failure, state.reason) else {
                    continue;
                };
                let known =
                    open.failures.get(id).filter(|(_, since)| *since == failure.first_failed_at);
                let new =
                    failure.attempts.saturating_sub(known.map_or(0, |(attempts, _)| *attempts));
                if new > 0 {
                    counter!("amparo_task_failures_total", "reason" => word(&reason))
                        .increment(new.into());
                }
            }
        });
    }

    /// The gauges of what the ledger says.
    pub(super) fn ledger(&self, view: &LedgerView, now: Timestamp) {
        let mut tasks = [0_u32; PHASES.len()];
        let mut requests: BTreeMap<&Name, usize> = BTreeMap::new();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.dues.clear();
        open.failures.clear();
        open.reasons.values_mut().for_each(|count| *count = 0);
        for (id, state) in &view.tasks {
            let rank = PHASES.iter().position(|phase| *phase == state.phase).unwrap_or_default();
            if let Some(count) = tasks.get_mut(rank) {
                *count += 1;
            }
            if let Some(failure) = &state.failure {
                open.failures.insert(id.clone(), (failure.attempts, failure.first_failed_at));
            }
            let of_request = requests.entry(&id.request).or_insert(rank);
            *of_request = rank.min(*of_request);
            if !state.phase.is_final() {
                open.dues.push(state.due);
                if let Some(reason) = state.reason {
                    *open.reasons.entry(reason).or_default() += 1;
                }
            }
        }
        open.dues.sort_unstable();
        let live = view.packages.values().filter(|(_, package)| package.expires_at > now).count();
        let expired = view.history.iter().filter(|l| l.status == HistoryStatus::Expired).count();
        with_local_recorder(&self.recorder, || {
            for (rank, phase) in PHASES.iter().enumerate() {
                let of_phase = tasks.get(rank).copied().unwrap_or_default();
                gauge!("amparo_tasks", "phase" => word(phase)).set(of_phase);
                let requests = requests.values().filter(|at| **at == rank).count();
                gauge!("amparo_requests", "phase" => word(phase)).set(requests as f64);
            }
            for (reason, count) in &open.reasons {
                gauge!("amparo_tasks_waiting", "reason" => word(reason)).set(*count);
            }
            gauge!("amparo_packages", "state" => "live").set(live as f64);
            gauge!("amparo_packages", "state" => "expired").set(expired as f64);
            gauge!("amparo_ledger_head_sequence").set(view.seq as f64);
        });
    }

    /// A package was asked for.
    pub(super) fn downloaded(&self, how: Download) {
        with_local_recorder(&self.recorder, || {
            counter!("amparo_downloads_total", "result" => word(&how)).increment(1);
        });
    }

    /// Everything, in the text format of Prometheus; `running` is how long the pass in work has run.
    pub(super) fn render(&self, now: Timestamp, running: Option<Duration>) -> String {
        let (overdue, next) = {
            let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            (open.dues.partition_point(|due| *due < now), open.dues.first().copied())
        };
        with_local_recorder(&self.recorder, || {
            gauge!("amparo_tasks_overdue").set(overdue as f64);
            let next = next.map_or(f64::INFINITY, |due| seconds(due) - seconds(now));
            gauge!("amparo_next_due_seconds").set(next);
            let running = running.map_or(0.0, |running| running.as_secs_f64());
            gauge!("amparo_pass_running_seconds").set(running);
        });
        self.recorder.handle().render()
    }
}

fn describe() {
    for (name, help) in [
        ("amparo_passes_total", "Passes since the start, by how they ended."),
        ("amparo_pass_errors_total", "Passes that were not carried through, by what failed."),
        ("amparo_task_failures_total", "Attempts at tasks that failed, by reason."),
        ("amparo_rows_erased_total", "Rows in which a cell was erased, or that were removed."),
        ("amparo_cells_erased_total", "Cells that were erased."),
        ("amparo_bytes_copied_total", "Bytes of rewritten files that were copied as they were."),
        ("amparo_bytes_reencoded_total", "Bytes of pages that were encoded again."),
        ("amparo_downloads_total", "Answers to requests for packages."),
    ] {
        describe_counter!(name, help);
    }
    for (name, help) in [
        ("amparo_build_info", "Always 1; the label is the version."),
        ("amparo_start_time_seconds", "When the daemon started, in seconds since 1970."),
        ("amparo_requests", "Requests, by the phase of the task that wants attention most."),
        ("amparo_tasks", "Tasks, by phase."),
        ("amparo_tasks_waiting", "Tasks that are not done, by reason."),
        ("amparo_tasks_overdue", "Tasks past their due date and not done."),
        ("amparo_next_due_seconds", "Seconds to the nearest due date of a task that is not done."),
        ("amparo_packages", "Packages that can be fetched, and that have expired."),
        ("amparo_ledger_head_sequence", "Number of the newest ledger commit."),
        ("amparo_last_pass_timestamp_seconds", "When the newest pass ended; 0: none has."),
        ("amparo_last_success_timestamp_seconds", "When a pass was last carried through."),
        ("amparo_pass_running_seconds", "How long the pass in work has run; 0: none runs."),
    ] {
        describe_gauge!(name, help);
    }
    describe_histogram!("amparo_pass_duration_seconds", "How long passes took.");
}

/// Seconds since 1970.
fn seconds(time: Timestamp) -> f64 {
    time.as_second() as f64
}

/// The name of an enum's variant.
fn word(value: &impl std::fmt::Debug) -> String {
    format!("{value:?}")
}
