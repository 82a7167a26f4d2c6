//! `/metrics`: the text format holds, every series is there, and none holds a name.

use std::collections::{BTreeMap, BTreeSet};

use super::support::{Place, failed, report, served, submitted};
use crate::model::{Action, Name, Reason};
use crate::plan::{TaskCounts, TaskRef};
use crate::reconcile::{ApplyReport, Board, Clock, Measured, PassError, Verdict};
use crate::store::Record;

/// The series of an exposition: name with labels → value. Panics where the text is not the format.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let name = |name: &str| {
        let mut chars = name.chars();
        let first = chars.next().unwrap();
        assert!(first.is_ascii_alphabetic() || first == '_', "{name}");
        assert!(chars.all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
    };
    assert!(text.ends_with('\n'));
    let (mut series, mut types, mut helped) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let mut family = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (metric, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && helped.insert(metric.to_owned()), "{line}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (metric, kind) = rest.split_once(' ').unwrap();
            name(metric);
            assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
            assert!(types.insert(metric.to_owned(), kind.to_owned()).is_none(), "{line}");
            assert_eq!(kind == "counter", metric.ends_with("_total"), "{line}");
            metric.clone_into(&mut family);
            continue;
        }
        assert!(!line.starts_with('#'), "{line}");
        let (at, value) = line.rsplit_once(' ').unwrap();
        let metric = at.split('{').next().unwrap();
        name(metric);
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| metric.strip_suffix(end));
        assert!(metric == family || base == Some(&family), "{line} stands below {family}");
        if let Some(labels) = at.strip_prefix(metric).filter(|labels| !labels.is_empty()) {
            let labels = labels.strip_prefix('{').unwrap().strip_suffix('}').unwrap();
            for label in labels.split(',') {
                let (key, value) = label.split_once('=').unwrap();
                name(key);
                let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
                assert!(!value.contains(['"', '\\', '\n']), "{line}");
            }
        }
        let value = match value {
            "+Inf" | "inf" => f64::INFINITY,
            value => value.parse().unwrap(),
        };
        assert!(series.insert(at.to_owned(), value).is_none(), "twice: {line}");
    }
    for metric in types.keys() {
        assert!(helped.contains(metric), "{metric} has no help");
    }
    series
}

fn block(request: &str, key: &str, action: Action) -> TaskRef {
    let request = Name::from_file_stem(request);
    TaskRef { request, key: Some(key.to_owned()), action: Some(action) }
}

fn blocked(task: &TaskRef, reason: Reason) -> Record {
    Record::TaskBlocked {
        task: task.clone(),
        reason,
        message: Some("planted message".to_owned()),
        counts: TaskCounts::default(),
        sources: vec!["planted-source".to_owned()],
    }
}

#[test]
fn a_fresh_daemon_shows_every_series_at_zero() {
    let served = served(Board::new(Clock::System));
    let answer = served.get("/metrics");
    assert_eq!(answer.code, 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let series = parse(answer.text());
    for (name, value) in [
        ("amparo_requests{phase=\"Failed\"}", 0.0),
        ("amparo_tasks{phase=\"Complete\"}", 0.0),
        ("amparo_tasks_overdue", 0.0),
        ("amparo_next_due_seconds", f64::INFINITY),
        ("amparo_passes_total{result=\"Done\"}", 0.0),
        ("amparo_passes_total{result=\"Bug\"}", 0.0),
        ("amparo_rows_erased_total", 0.0),
        ("amparo_cells_erased_total", 0.0),
        ("amparo_bytes_copied_total", 0.0),
        ("amparo_bytes_reencoded_total", 0.0),
        ("amparo_packages{state=\"live\"}", 0.0),
        ("amparo_packages{state=\"expired\"}", 0.0),
        ("amparo_ledger_head_sequence", 0.0),
        ("amparo_last_success_timestamp_seconds", 0.0),
        ("amparo_last_pass_timestamp_seconds", 0.0),
        ("amparo_pass_running_seconds", 0.0),
    ] {
        assert_eq!(series.get(name), Some(&value), "{name}\n{}", answer.text());
    }
    let version = format!("amparo_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(series.get(&version), Some(&1.0));
}

#[test]
fn gauges_follow_the_ledger_and_the_clock() {
    let place = Place::new();
    place.package("planted-access", "planted-key", b"zip");
    let (late, held) =
        (block("a", "planted-1", Action::Delete), block("a", "planted-2", Action::Delete));
    place.record(vec![
        submitted(&late, "2026-11-22T08:59:00Z"),
        submitted(&held, "2026-11-22T10:00:00Z"),
        blocked(&held, Reason::Held),
    ]);
    let served = place.serve();
    let text = served.get("/metrics").text().to_owned();
    let series = parse(&text);
    for (name, value) in [
        ("amparo_tasks{phase=\"Submitted\"}", 1.0),
        ("amparo_tasks{phase=\"Blocked\"}", 1.0),
        ("amparo_tasks{phase=\"Complete\"}", 1.0),
        ("amparo_requests{phase=\"Blocked\"}", 1.0),
        ("amparo_requests{phase=\"Submitted\"}", 0.0),
        ("amparo_requests{phase=\"Complete\"}", 1.0),
        ("amparo_tasks_waiting{reason=\"Held\"}", 1.0),
        ("amparo_tasks_overdue", 1.0),
        ("amparo_next_due_seconds", -60.0),
        ("amparo_packages{state=\"live\"}", 1.0),
        ("amparo_ledger_head_sequence", 2.0),
    ] {
        assert_eq!(series.get(name), Some(&value), "{name}\n{text}");
    }
    assert!(!text.contains("planted") && !text.contains("gdpr"), "{text}");

    // The hold lapses, and the task is done: its reason stays, at zero.
    place.record(vec![Record::TaskCompleted {
        task: held,
        reason: Reason::Erased,
        counts: TaskCounts::default(),
        sources: Vec::new(),
        left_out: Vec::new(),
        package: None,
        verified: Some(true),
        rules: None,
        earlier: Vec::new(),
    }]);
    served.board.started();
    served.board.finished(Ok(&report(place.ledger())));
    let series = parse(served.get("/metrics").text());
    assert_eq!(series.get("amparo_tasks_waiting{reason=\"Held\"}"), Some(&0.0));
    assert_eq!(series.get("amparo_tasks{phase=\"Blocked\"}"), Some(&0.0));
    assert_eq!(series.get("amparo_tasks{phase=\"Complete\"}"), Some(&2.0));
}

#[test]
fn counters_add_up_over_passes() {
    let place = Place::new();
    place.record(Vec::new());
    let served = place.serve();
    let measured =
        Measured { rows_erased: 3, cells_erased: 7, bytes_copied: 1_000, bytes_reencoded: 50 };
    for verdict in [Verdict::Done, Verdict::Partial] {
        served.board.started();
        served.board.erased(measured);
        let pass = ApplyReport { verdict, ..report(place.ledger()) };
        served.board.finished(Ok(&pass));
    }
    let succeeded = parse(served.get("/metrics").text());
    // A pass that fails after it has erased counts what it has erased.
    served.board.started();
    served.board.erased(Measured { rows_erased: 1, ..measured });
    for error in [PassError::Places, PassError::Bug("planted".to_owned())] {
        served.board.finished(Err(&error));
    }
    served.board.finished(Ok(&ApplyReport::invalid(Vec::new())));
    let text = served.get("/metrics").text().to_owned();
    let series = parse(&text);
    let value = |name: &str| series.get(name).copied();
    assert_eq!(value("amparo_rows_erased_total"), Some(7.0));
    assert_eq!(value("amparo_cells_erased_total"), Some(21.0));
    assert_eq!(value("amparo_bytes_copied_total"), Some(3_000.0));
    assert_eq!(value("amparo_bytes_reencoded_total"), Some(150.0));
    for (result, passes) in
        [("Done", 1.0), ("Partial", 1.0), ("Invalid", 2.0), ("Bug", 1.0), ("Failed", 0.0)]
    {
        let name = format!("amparo_passes_total{{result=\"{result}\"}}");
        assert_eq!(value(&name), Some(passes), "{name}");
    }
    assert_eq!(value("amparo_pass_errors_total{reason=\"layout\"}"), Some(1.0));
    assert_eq!(value("amparo_pass_errors_total{reason=\"bug\"}"), Some(1.0));
    assert_eq!(value("amparo_pass_duration_seconds_count"), Some(5.0));
    assert_eq!(value("amparo_pass_duration_seconds_bucket{le=\"+Inf\"}"), Some(5.0));
    let success = "amparo_last_success_timestamp_seconds";
    assert!(value(success).unwrap() > 1.7e9);
    assert_eq!(value(success), succeeded.get(success).copied());
    assert!(!text.contains("planted"), "{text}");
}

#[test]
fn failed_attempts_count_once_each() {
    let place = Place::new();
    let task = block("r", "planted", Action::Delete);
    place.record(vec![submitted(&task, "2026-12-01T00:00:00Z"), failed(&task, 2)]);
    // What failed before the daemon started is not its.
    let served = place.serve();
    let failures = || {
        let text = served.get("/metrics").text().to_owned();
        assert!(!text.contains("planted"), "{text}");
        parse(&text).get("amparo_task_failures_total{reason=\"DataUnreadable\"}").copied()
    };
    let pass = || served.board.finished(Ok(&report(place.ledger())));
    pass();
    assert_eq!(failures(), None);
    place.record(vec![failed(&task, 3)]);
    pass();
    // Passes that wait for the time to try again try nothing.
    pass();
    pass();
    assert_eq!(failures(), Some(1.0));
    // On other grounds it begins to count anew.
    let mut anew = failed(&task, 1);
    if let Record::TaskFailed { failure: Some(failure), .. } = &mut anew {
        failure.first_failed_at = "2026-11-22T08:00:00Z".parse().unwrap();
    }
    place.record(vec![anew]);
    pass();
    assert_eq!(failures(), Some(2.0));
}

#[test]
fn two_daemons_in_one_process_count_apart() {
    let (one, other) = (served(Board::new(Clock::System)), served(Board::new(Clock::System)));
    one.board.finished(Err(&PassError::Places));
    let invalid = "amparo_passes_total{result=\"Invalid\"}";
    assert_eq!(parse(one.get("/metrics").text()).get(invalid), Some(&1.0));
    assert_eq!(parse(other.get("/metrics").text()).get(invalid), Some(&0.0));
}
