//! What the daemon says: to people, to machines, to the service manager.

use std::os::unix::net::UnixDatagram;

use serde_json::Value;

use super::{Daemon, small, wants};
use crate::support::{PATIENCE, until};

#[test]
fn a_line_for_each_pass_that_did_something() {
    let env = small();
    wants(&env, "one", "p1", "access, delete");
    let daemon = Daemon::start(&env, &[]);
    until("a line", || daemon.out.all().len() == 1);
    let line = daemon.out.all().remove(0);
    let start = "2026-11-22T09:00:00Z pass 1: 1 export, 1 erasure (2 rows, 2 cells in 1 file;";
    assert!(line.starts_with(start), "{line}");
    assert!(line.contains("; ledger head "), "{line}");
    // One that finds nothing new is silent.
    env.write("requests/NOTES.txt", "nothing that is read");
    daemon.ended(2);
    assert_eq!(daemon.out.all().len(), 1);
    assert_eq!(daemon.terminate(), 143);
}

#[test]
fn lines_of_json_hold_counts_and_no_identity() {
    let env = small();
    wants(&env, "one", "p1", "access, delete");
    let daemon = Daemon::start(&env, &["--log-format", "json"]);
    until("a line", || daemon.out.all().len() == 1);
    let line: Value = serde_json::from_str(&daemon.out.all()[0]).unwrap();
    assert_eq!(line["command"], "watch");
    assert_eq!(line["event"], "pass");
    assert_eq!(line["totals"]["rowsErased"], 2);
    assert_eq!(line["tasks"]["Complete"], 2);
    assert_eq!(line["next"], "2026-12-06T09:00:00Z");
    std::fs::rename(env.path("policies"), env.path("p")).unwrap();
    until("it fails", || daemon.out.all().len() == 2);
    let line: Value = serde_json::from_str(&daemon.out.all()[1]).unwrap();
    assert_eq!(line["event"], "failed");
    assert!(line["error"].as_str().unwrap().starts_with("cannot read policies"), "{line}");
    for line in daemon.out.all().iter().chain(&daemon.err.all()) {
        assert!(!line.contains("p1"), "{line}");
    }
    let (out, err) = (daemon.out.clone(), daemon.err.clone());
    assert_eq!(daemon.terminate(), 143);
    let parse = |line: &String| serde_json::from_str::<Value>(line).is_ok();
    assert!(out.all().iter().all(parse));
    let plain: Vec<_> = err.all().into_iter().filter(|line| !parse(line)).collect();
    assert_eq!(plain, [""; 0]);
}

/// What the service manager was told until something comes.
fn told(socket: &UnixDatagram, what: &str, all: &mut Vec<String>) {
    let mut buffer = [0; 4096];
    while !all.iter().any(|text| text.starts_with(what)) {
        let read = socket.recv(&mut buffer).unwrap_or_else(|_| panic!("never {what}: {all:?}"));
        all.push(String::from_utf8_lossy(&buffer[..read]).trim_end().to_owned());
    }
}

#[test]
fn the_service_manager_is_told() {
    let env = small();
    let path = env.path("notify.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let vars = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "1000000")];
    let mut daemon = Daemon::start_with(&env, &[], &vars);
    let mut all = Vec::new();
    told(&socket, "READY=1", &mut all);
    told(&socket, "STATUS=pass 1 is running", &mut all);
    told(&socket, "STATUS=pass 1 done; waiting", &mut all);
    // Between passes it goes on telling that it is alive.
    for _ in 0..3 {
        let mut more = Vec::new();
        told(&socket, "WATCHDOG=1", &mut more);
    }
    assert_eq!(all.iter().filter(|text| *text == "READY=1").count(), 1);
    daemon.signal(rustix::process::Signal::TERM);
    told(&socket, "STOPPING=1", &mut all);
    assert_eq!(daemon.wait(), 143);
}
