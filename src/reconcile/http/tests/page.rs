//! `/status`.

use super::support::{Place, at, failed, report, served, submitted};
use crate::model::{Action, Name, Reason};
use crate::plan::{TaskCounts, TaskRef};
use crate::reconcile::{ApplyReport, Board, Clock, PassError};
use crate::store::Record;

fn delete(request: &str, key: &str) -> TaskRef {
    let request = Name::from_file_stem(request);
    TaskRef { request, key: Some(key.to_owned()), action: Some(Action::Delete) }
}

fn blocked(task: &TaskRef, message: &str) -> Record {
    Record::TaskBlocked {
        task: task.clone(),
        reason: Reason::LimitExceeded,
        message: Some(message.to_owned()),
        counts: TaskCounts::default(),
        sources: Vec::new(),
    }
}

/// Every opening tag has its end, in order.
fn well_formed(page: &str) {
    const VOID: [&str; 2] = ["meta", "!DOCTYPE"];
    let mut open = Vec::new();
    let body =
        page.split("<style>").next().unwrap().to_owned() + page.split_once("</style>").unwrap().1;
    for tag in body.split('<').skip(1) {
        let name = tag.split([' ', '>', '\n']).next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{page}"),
            None if VOID.contains(&name) => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "{page}");
}

#[test]
fn a_daemon_that_knows_nothing_says_so() {
    let served = served(Board::new(Clock::System));
    let answer = served.get("/status");
    assert_eq!(
        (answer.code, answer.header("content-type")),
        (200, Some("text/html; charset=utf-8"))
    );
    let page = answer.text();
    assert!(page.contains("Nothing is known yet") && page.contains("none has ended"), "{page}");
    well_formed(page);
}

#[test]
fn open_tasks_stand_by_due_date_and_overdue_ones_are_marked() {
    let place = Place::new();
    place.package("done", "DONE-1", b"zip");
    let tasks = [
        ("b", "2026-11-25T08:00:00Z"),
        ("late", "2026-11-20T09:00:00Z"),
        ("a", "2026-11-22T12:00:00Z"),
    ];
    for (key, due) in tasks {
        place.record(vec![submitted(&delete("r", key), due)]);
    }
    place.record(vec![blocked(&delete("r", "b"), "it would erase 12 of 100 rows")]);
    let served = place.serve();
    served.board.started();
    served.board.finished(Ok(&report(place.ledger())));
    let page = served.get("/status").text().to_owned();
    well_formed(&page);
    assert!(page.contains("<title>1 overdue – amparo status</title>"), "{page}");
    assert!(page.contains("3 open, <strong class=\"bad\">1 overdue</strong>"), "{page}");
    let places: Vec<_> =
        ["late", "a", "b"].map(|key| page.find(&format!("<bdi>{key}</bdi>")).unwrap()).into();
    assert!(places.is_sorted(), "{page}");
    assert_eq!(page.matches("<tr role=\"row\" class=\"overdue\">").count(), 1);
    for shown in [
        "2 days overdue",
        "in less than a day",
        "in 2 days",
        "Blocked (LimitExceeded)",
        "it would erase 12 of 100 rows",
        "<time datetime=\"2026-11-20T09:00:00Z\">20 Nov 2026</time>",
        "Ready",
        "23 Nov 2026",
        "everything that can be done is done",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    let head = place.ledger().head.unwrap();
    assert!(page.contains(&format!("<code>{}:{}</code>", head.seq, head.sha256)));
    // The history does not repeat what is open.
    assert_eq!(page.matches("<bdi>late</bdi>").count(), 1);
}

#[test]
fn a_failed_task_says_how_often_when_again_and_what_to_do() {
    let place = Place::new();
    let task = delete("r", "k");
    place.record(vec![submitted(&task, "2026-12-01T00:00:00Z"), failed(&task, 3)]);
    let page = place.serve().get("/status").text().to_owned();
    well_formed(&page);
    for shown in [
        "Failed (DataUnreadable)",
        "Failed 3 times since 21 Nov 2026; tried again by 22 Nov 2026, 09:30 UTC.",
        "mend, replace or remove the file",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
}

#[test]
fn hostile_keys_and_messages_are_text() {
    let place = Place::new();
    let hostile = [
        "<script>document.title='owned'</script>",
        "\"><img src=x onerror=alert(1)>",
        "</td></table></html>",
        "{{ 7 * 7 }} {% include \"x\" %}",
        "&lt;b&gt; &amp;",
        "\u{202e}gnp.exe\u{202c}",
        "line\r\nbreak\0\u{7f}\u{85}\u{200b}\u{feff}",
        &"x".repeat(256),
    ];
    for key in hostile {
        let task = delete("r", key);
        place.record(vec![submitted(&task, "2026-12-01T00:00:00Z"), blocked(&task, key)]);
    }
    let page = place.serve().get("/status").text().to_owned();
    well_formed(&page);
    for markup in ["<script", "<img", "</html></"] {
        assert!(!page.contains(markup), "{markup}\n{page}");
    }
    assert!(
        page.contains("&#60;script&#62;document.title=&#39;owned&#39;&#60;/script&#62;"),
        "{page}"
    );
    assert!(page.contains("\\u{202e}gnp.exe\\u{202c}"), "{page}");
    assert!(page.contains("line\\u{d}\\u{a}break\\u{0}\\u{7f}\\u{85}\\u{200b}\\u{feff}"), "{page}");
    let unseen = |c: char| (c.is_control() && c != '\n') || ('\u{200b}'..='\u{206f}').contains(&c);
    assert!(!page.contains(unseen), "{page:?}");
}

#[test]
fn words_of_other_directions_stay_as_they_are() {
    let place = Place::new();
    place.record(vec![submitted(&delete("r", "طلب-١٢"), "2026-12-01T00:00:00Z")]);
    let page = place.serve().get("/status").text().to_owned();
    assert!(page.contains("<bdi>طلب-١٢</bdi>"), "{page}");
}

#[test]
fn the_page_has_an_end() {
    let place = Place::new();
    let records = (0..1_000).flat_map(|n| {
        let (open, done) = (delete("open", &format!("k{n}")), delete("done", &format!("k{n}")));
        [
            submitted(&open, "2026-12-01T00:00:00Z"),
            submitted(&done, "2026-12-01T00:00:00Z"),
            Record::TaskCompleted {
                task: done,
                reason: Reason::Erased,
                counts: TaskCounts::default(),
                sources: Vec::new(),
                left_out: Vec::new(),
                package: None,
                verified: Some(true),
                rules: None,
                earlier: Vec::new(),
            },
        ]
    });
    place.record(records.collect());
    let page = place.serve().get("/status").text().to_owned();
    well_formed(&page);
    assert_eq!(page.matches("<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">").count(), 600);
    assert_eq!(page.matches("700 more are not shown").count(), 2);
    assert!(page.contains("1000 open"));
}

#[test]
fn a_pass_that_failed_says_why() {
    let served = served(Board::new(Clock::Fixed(at("2026-11-22T09:00:00Z"))));
    served.board.started();
    served.board.finished(Err(&PassError::Places));
    let page = served.get("/status").text().to_owned();
    assert!(page.contains("the exports directory lies in the state directory"), "{page}");
    served.board.finished(Ok(&ApplyReport::invalid(Vec::new())));
    let page = served.get("/status").text().to_owned();
    assert!(page.contains("the policies are invalid: nothing was done"), "{page}");
}
