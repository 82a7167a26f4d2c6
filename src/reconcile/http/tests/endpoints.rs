//! Which path answers what, and health.

use super::support::{Place, Served, report, send, served};
use crate::reconcile::http::{HttpError, Server};
use crate::reconcile::{ApplyReport, Board, Clock, PassError};
use crate::store::StoreError;

fn word(served: &Served, path: &str) -> (u16, String) {
    let answer = served.get(path);
    (answer.code, answer.text().trim_end().to_owned())
}

#[test]
fn health_is_the_loop_and_readiness_its_first_pass() {
    let served = served(Board::new(Clock::System));
    let attendance = served.board.attend();
    assert_eq!(word(&served, "/healthz"), (200, "ok".to_owned()));
    assert_eq!(word(&served, "/readyz"), (503, "starting".to_owned()));

    served.board.started();
    served.board.finished(Ok(&ApplyReport::invalid(Vec::new())));
    assert_eq!(word(&served, "/readyz"), (503, "invalid".to_owned()));
    let busy = PassError::Store(StoreError::Conflict { seq: 3 });
    served.board.finished(Err(&busy));
    assert_eq!(word(&served, "/readyz"), (503, "busy".to_owned()));
    served.board.finished(Err(&PassError::Places));
    assert_eq!(word(&served, "/readyz").1, "invalid");
    served.board.finished(Err(&PassError::Bug("x".to_owned())));
    assert_eq!(word(&served, "/readyz"), (503, "failed".to_owned()));

    let place = Place::new();
    place.record(Vec::new());
    served.board.finished(Ok(&report(place.ledger())));
    assert_eq!(word(&served, "/readyz"), (200, "ok".to_owned()));
    // A pass that fails later does not take back that the daemon serves.
    served.board.finished(Err(&PassError::Places));
    assert_eq!(word(&served, "/readyz"), (200, "ok".to_owned()));
    drop(place);
    assert_eq!(word(&served, "/readyz"), (503, "unwritable".to_owned()));
    assert_eq!(word(&served, "/healthz").0, 200);

    drop(attendance);
    assert_eq!(word(&served, "/healthz"), (503, "ended".to_owned()));
    assert_eq!(word(&served, "/readyz"), (503, "ended".to_owned()));
}

#[test]
fn what_was_known_before_the_start_makes_nothing_ready() {
    let place = Place::new();
    place.package("r", "k", b"zip");
    let served = place.serve();
    assert_eq!(word(&served, "/readyz"), (503, "starting".to_owned()));
}

#[test]
fn only_reading_is_allowed_and_other_paths_are_not_there() {
    let served = Place::new().serve();
    for path in ["/healthz", "/metrics", "/status", "/packages/r/k.zip"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let answer = served.ask(method, path);
            assert_eq!((answer.code, answer.header("allow")), (405, Some("GET,HEAD")), "{path}");
        }
    }
    for path in ["/nothing", "/status/", "/metrics/x", "//", "/%2e%2e/status", "/.git/config"] {
        assert_eq!(served.get(path).code, 404, "{path}");
    }
    let home = served.get("/");
    assert_eq!((home.code, home.header("location")), (308, Some("/status")));
}

#[test]
fn head_is_get_without_a_body() {
    let place = Place::new();
    let link = place.package("r", "k", b"some bytes").link();
    let served = place.serve();
    for path in ["/healthz", "/readyz", "/metrics", "/status", &link] {
        let (get, head) = (served.get(path), served.ask("HEAD", path));
        assert_eq!(get.code, head.code, "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
        assert_eq!(get.header("content-type"), head.header("content-type"), "{path}");
        assert_eq!(get.header("content-length"), head.header("content-length"), "{path}");
    }
}

#[test]
fn every_answer_says_that_it_is_private() {
    let place = Place::new();
    let link = place.package("r", "k", b"some bytes").link();
    let served = place.serve();
    for path in ["/healthz", "/readyz", "/metrics", "/status", "/", "/nothing", "/packages/", &link]
    {
        let answer = served.get(path);
        for (name, value) in [
            ("cache-control", "private, no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("connection", "close"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path} {name}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src"), "{policy}");
        assert!(!policy.contains("script"), "{policy}");
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn another_hosts_name_gets_no_page_but_health() {
    let place = Place::new();
    let link = place.package("r", "k", b"some bytes").link();
    let board = Board::new(Clock::System);
    let hosts = ["amparo.internal".to_owned()];
    let server = Server::start("127.0.0.1:0", &hosts, board).unwrap();
    let code = |path: &str, host: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        send(server.address(), &request).unwrap().code
    };
    for path in ["/status", "/metrics", "/"] {
        assert_eq!(code(path, "evil.example"), 421, "{path}");
    }
    assert_eq!(code("/healthz", "evil.example"), 200);
    assert_eq!(code("/status", "amparo.internal:9464"), 200);
    assert_eq!(code("/metrics", "127.0.0.1:9464"), 200);
    // A link says itself who may use it; this server knows no ledger.
    assert_eq!(code(&link, "privacy.example.com"), 503);
}

#[test]
fn an_address_that_is_taken_or_none_is_a_clear_error() {
    let board = || Board::new(Clock::System);
    let first = Server::start("127.0.0.1:0", &[], board()).unwrap();
    let taken = first.address().to_string();
    for address in [taken.as_str(), "nonsense", "127.0.0.1", "127.0.0.1:99999"] {
        let error = Server::start(address, &[], board()).unwrap_err();
        assert!(matches!(error, HttpError::Bind { .. }));
        assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    }
    first.stop();
    Server::start(&taken, &[], board()).unwrap();
}
