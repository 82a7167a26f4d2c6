//! What was planned is what is measured, or the pass ends as a bug (exit 70) with nothing replaced: here the
//! bytes of a file are changed behind its stamp, between the plan and the rewrite.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod erase_support;

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amparo::reconcile::{
    Approval, Clock, Event, Events, PassError, Signal, Silent, Stop, Tries, Verdict, Workspace,
    apply, status,
};
use erase_support::names;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// Plain values, without compression or statistics: a value can be changed in place.
fn file(path: &Path) {
    let schema = "message m { required binary who (UTF8); required binary cell (UTF8); }";
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let mut writer = SerializedFileWriter::new(
        fs::File::create(path).unwrap(),
        Arc::new(parse_message_type(schema).unwrap()),
        Arc::new(properties),
    )
    .unwrap();
    let mut group = writer.next_row_group().unwrap();
    for values in [["p", "q"], ["cell", "kept"]] {
        let values: Vec<ByteArray> = values.into_iter().map(ByteArray::from).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
}

/// Changes a value in place and leaves size, time and footer as they were.
fn forge(path: &Path) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let bytes = fs::read(path).unwrap();
    let at = bytes.windows(4).position(|part| part == b"cell").unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(b"gone").unwrap();
    file.set_modified(modified).unwrap();
}

fn workspace(root: &Path) -> Workspace {
    let lake = root.join("lake");
    for folder in ["lake", "policies", "requests"] {
        fs::create_dir(root.join(folder)).unwrap();
    }
    for name in ["a", "b", "c"] {
        file(&lake.join(format!("{name}.parquet")));
    }
    let policy = format!(
        "apiVersion: amparo/v1\nkind: Dataset\nmetadata: {{name: e}}\nspec:\n  product: e\n  location: {}\n  format: parquet\n  fields:\n    - {{path: who, namespace: who, labels: [I1, ID-PERSON, ACC-ALL]}}\n    - {{path: cell, labels: [I1, DEL-PERSON, ACC-ALL], erase: {{method: constant, value: gone}}}}\n",
        lake.display()
    );
    fs::write(root.join("policies/e.yaml"), policy).unwrap();
    let request = "apiVersion: amparo/v1\nkind: SubjectRequest\nmetadata: {name: r}\nspec:\n  {regulation: gdpr, receivedAt: 2026-11-20, include: [e], users: [{key: A, action: [delete], userIDs: [{namespace: who, value: p}]}]}\n";
    fs::write(root.join("requests/r.yaml"), request).unwrap();
    Workspace {
        policies: root.join("policies"),
        requests: root.join("requests"),
        approvals: root.join("approvals"),
        state: Some(root.join("state").display().to_string()),
        exports: Some(root.join("exports").display().to_string()),
        scratch: None,
        identity: None,
        lock_wait: Duration::from_secs(10),
        clock: Clock::Fixed("2026-11-22T09:00:00Z".parse().unwrap()),
        tries: Tries::All,
        memory: 64 << 20,
        jobs: 1,
        stop: Stop::default(),
    }
}

/// What a pass tells of its erasures.
#[derive(Default)]
struct Sum {
    files: u64,
    cells: u64,
    /// Asked to stop once something was erased.
    stop: Option<Stop>,
}

impl Events for Sum {
    fn event(&mut self, event: Event) {
        if let Event::Erased(measured) = event {
            self.files += 1;
            self.cells += measured.cells_erased;
            assert!(measured.bytes_copied > 0 && measured.bytes_reencoded > 0, "{measured:?}");
            if let Some(stop) = &self.stop {
                stop.ask(Signal::Terminate);
            }
        }
    }
}

#[test]
fn a_pass_that_does_not_end_well_has_told_what_it_erased() {
    let directory = tempfile::tempdir().unwrap();
    let workspace = workspace(directory.path());
    let mut sum = Sum { stop: Some(workspace.stop.clone()), ..Sum::default() };
    let ended = apply(&workspace, Approval::Given, &mut sum);
    assert!(matches!(ended, Err(PassError::Interrupted(_))), "{ended:?}");
    assert_eq!((sum.files, sum.cells), (3, 3));
}

/// Ends the process in the eyes of the pass, once something was erased and before that is recorded.
struct Kill;

impl Events for Kill {
    fn event(&mut self, event: Event) {
        if matches!(event, Event::Erased(_)) {
            std::panic::resume_unwind(Box::new("killed"));
        }
    }
}

#[test]
fn what_a_killed_pass_erased_is_counted_though_the_policy_was_gone_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let workspace = workspace(root);
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        apply(&workspace, Approval::Given, &mut Kill)
    }));
    assert!(killed.is_err());
    let (policy, away) = (root.join("policies/e.yaml"), root.join("e.yaml"));
    fs::rename(&policy, &away).unwrap();
    apply(&workspace, Approval::Given, &mut Silent).unwrap();
    fs::rename(&away, &policy).unwrap();
    let mut sum = Sum::default();
    let report = apply(&workspace, Approval::Given, &mut sum).unwrap();
    assert_eq!((report.verdict, sum.files), (Verdict::Done, 0), "nothing was left to erase");
    let status = status(&workspace, None).unwrap();
    assert_eq!(status.tasks[0].counts.rows_erased, Some(3));
}

#[test]
fn what_would_change_something_else_than_planned_is_a_bug_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let workspace = workspace(root);
    let lake = root.join("lake");
    let read =
        || ["a", "b", "c"].map(|name| fs::read(lake.join(format!("{name}.parquet"))).unwrap());
    let before = read();
    let forged = lake.join("b.parquet");
    let stamp = amparo::engine::erase::file_stamp(&forged, "b").unwrap();
    let approval = Approval::Ask(Box::new(|plan| {
        assert_eq!(plan.totals.cells_erased, 3);
        forge(&forged);
        true
    }));
    let error = apply(&workspace, approval, &mut Silent).expect_err("a bug");
    assert_eq!(
        stamp,
        amparo::engine::erase::file_stamp(&forged, "b").unwrap(),
        "the forgery shows"
    );
    assert!(matches!(&error, PassError::Bug(_)), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Bug);
    let text = error.to_string();
    assert!(text.contains("b.parquet") && text.contains("than was planned"), "{text}");
    let after = read();
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    assert_ne!(after[1], before[1], "what the other writer wrote stays");
    assert_eq!(names(&lake), ["a.parquet", "b.parquet", "c.parquet"], "litter");

    // The next pass plans what is there now.
    let mut sum = Sum::default();
    let report = apply(&workspace, Approval::Given, &mut sum).unwrap();
    assert_eq!((sum.files, sum.cells, report.verdict), (2, 2, Verdict::Done));
}
