//! A state with packages, a daemon's board, a server, and a plain client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use jiff::{Span, Timestamp};

use crate::model::{Action, Name, Reason, TaskId};
use crate::plan::{Failure, FailureKind, PackageRecord, TaskCounts, TaskRef};
use crate::reconcile::http::Server;
use crate::reconcile::link::{Link, place};
use crate::reconcile::{ApplyReport, Board, Clock, LedgerNow, Verdict};
use crate::store::{DeploymentKey, Exports, FinishedPackage, Record, StateDir};

/// The time in every test, unless it says otherwise.
pub(super) const NOW: &str = "2026-11-22T09:00:00Z";

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A workspace's state and exports.
pub(super) struct Place {
    pub(super) dir: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(super) fn state(&self) -> StateDir {
        StateDir::locate("state", self.dir.path()).unwrap()
    }

    pub(super) fn exports(&self) -> String {
        self.dir.path().join("exports").to_str().unwrap().to_owned()
    }

    /// Records something, and gives the key.
    pub(super) fn record(&self, records: Vec<Record>) -> DeploymentKey {
        let mut state = self.state().write(Duration::from_secs(10)).unwrap();
        state.append(records, at(NOW)).unwrap();
        state.state().deployment_key().unwrap().clone()
    }

    pub(super) fn ledger(&self) -> LedgerNow {
        let state = self.state();
        let read = state.read().unwrap();
        LedgerNow {
            view: read.view().clone(),
            head: read.head().cloned(),
            state,
            exports: self.exports(),
        }
    }

    /// Publishes and records a package that holds these bytes.
    pub(super) fn package(&self, request: &str, key: &str, bytes: &[u8]) -> Package {
        let made = self.dir.path().join("made.zip");
        std::fs::write(&made, bytes).unwrap();
        let name = Name::from_file_stem(request);
        let finished = FinishedPackage {
            path: made,
            request: name.clone(),
            key: key.to_owned(),
            sha256: crate::store::sha256(bytes),
            replace: true,
        };
        let exports = Exports::open(&self.exports(), self.dir.path()).unwrap();
        let published = exports.publish(&[finished]).unwrap().remove(0);
        let record = PackageRecord {
            location: published.location,
            sha256: published.content.sha256,
            bytes: published.content.bytes,
            compiled_at: at(NOW),
            expires_at: at(NOW) + Span::new().hours(24),
            expired: false,
        };
        let task = TaskRef { request: name, key: Some(key.into()), action: Some(Action::Access) };
        let key = self.record(vec![
            submitted(&task, "2026-12-20T00:00:00Z"),
            Record::TaskCompleted {
                task,
                reason: Reason::Exported,
                counts: TaskCounts::default(),
                sources: vec!["web".to_owned()],
                left_out: Vec::new(),
                package: Some(record.clone()),
                verified: Some(true),
                rules: None,
                earlier: Vec::new(),
            },
        ]);
        Package { record, key }
    }

    /// A server over the state as it is, and the board behind it.
    pub(super) fn serve(&self) -> Served {
        self.serve_at(NOW)
    }

    pub(super) fn serve_at(&self, now: &str) -> Served {
        let board = Board::new(Clock::Fixed(at(now)));
        board.know(self.ledger());
        served(board)
    }
}

/// A package that was recorded.
pub(super) struct Package {
    pub(super) record: PackageRecord,
    pub(super) key: DeploymentKey,
}

impl Package {
    /// A link to it, until its expiry.
    pub(super) fn link(&self) -> String {
        self.link_until(self.record.expires_at, &self.key)
    }

    pub(super) fn link_until(&self, expires_at: Timestamp, key: &DeploymentKey) -> String {
        let place = place(&self.record.location).unwrap().to_owned();
        Link { place, sha256: self.record.sha256.clone(), expires_at }.target(key)
    }
}

/// A task was seen.
pub(super) fn submitted(task: &TaskRef, due: &str) -> Record {
    Record::TaskSubmitted {
        task: task.clone(),
        fingerprint: format!("print of {}", TaskId::from(task)),
        regulation: Some("gdpr".to_owned()),
        received_at: at("2026-11-20T00:00:00Z"),
        due: at(due),
    }
}

/// A task failed, for the so-many-th time on the same grounds.
pub(super) fn failed(task: &TaskRef, attempts: u32) -> Record {
    Record::TaskFailed {
        task: task.clone(),
        reason: Reason::DataUnreadable,
        message: Some("planted message".to_owned()),
        counts: TaskCounts::default(),
        sources: Vec::new(),
        failure: Some(Failure {
            kind: FailureKind::Data,
            attempts,
            first_failed_at: at("2026-11-21T00:00:00Z"),
            next_try_at: at("2026-11-22T09:30:00Z"),
            dataset: None,
            file: None,
            evidence: "grounds".to_owned(),
        }),
    }
}

pub(super) struct Served {
    pub(super) board: Board,
    pub(super) server: Server,
}

pub(super) fn served(board: Board) -> Served {
    let server = Server::start("127.0.0.1:0", &[], board.clone()).unwrap();
    Served { board, server }
}

impl Served {
    pub(super) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path)
    }

    pub(super) fn ask(&self, method: &str, path: &str) -> Answer {
        send(self.server.address(), &format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
            .expect("no answer")
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: u16,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The headers but for the time.
    pub(super) fn undated(&self) -> Vec<&(String, String)> {
        self.headers.iter().filter(|(name, _)| name != "date").collect()
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends bytes, and reads until the server has no more to say; `None`: it said nothing.
pub(super) fn send(address: SocketAddr, request: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    // The server may close while we still send: what it had said counts.
    let _ = stream.read_to_end(&mut all);
    let end = all.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&all[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let code = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Some(Answer { code, headers, body: all[end + 4..].to_vec() })
}

/// A pass that was carried through, over this ledger.
pub(super) fn report(ledger: LedgerNow) -> ApplyReport {
    ApplyReport {
        ledger: Some(ledger),
        verdict: Verdict::Done,
        notes: Vec::new(),
        ..ApplyReport::invalid(Vec::new())
    }
}
