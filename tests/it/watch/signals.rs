//! SIGTERM and SIGINT: what is in work is finished or let go, what is done is recorded.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};

use super::{Daemon, complete, small, staged, wants};
use crate::crashes::{FILES, ROWS, lake};
use crate::support::{Env, task, until};

/// After a drained pass: nothing is left in the lake, and the next pass finishes the work.
fn converges(env: &Env, request: &str) {
    assert_eq!(staged(env), [""; 0], "a drained pass leaves no staged file");
    assert_eq!(env.files("lake").len(), FILES);
    env.run(&["verify", "--ledger"]).exits(0);
    let report = env.apply().exits(0).json();
    let done = task(&report, "A", "delete");
    assert_eq!((&done["request"], &done["phase"]), (&request.into(), &"Complete".into()), "{done}");
    for file in 0..FILES {
        let rows = env.rows(&format!("lake/e/part-{file}.parquet"));
        assert_eq!(rows.len(), ROWS);
        assert!(rows.iter().skip(7).step_by(50).all(|row| row[1].as_deref() == Some("")));
    }
    env.run(&["verify"]).exits(0);
}

#[test]
fn a_daemon_that_is_asked_to_stop_while_it_erases_lets_go_cleanly() {
    let mut in_work = 0;
    for round in 0..20 {
        let env = lake();
        let signal = if round % 2 == 0 { Signal::TERM } else { Signal::INT };
        let mut daemon = Daemon::start(&env, &[]);
        until("it erases", || !staged(&env).is_empty() || daemon.err.with("a pass ended") > 0);
        let asked = Instant::now();
        daemon.signal(signal);
        assert_eq!(daemon.wait(), if signal == Signal::TERM { 143 } else { 130 });
        assert!(asked.elapsed() < Duration::from_secs(10));
        in_work += usize::from(!complete(&env, "r", "delete"));
        converges(&env, "r");
        if in_work == 2 {
            return;
        }
    }
    panic!("it was never caught at work");
}

#[test]
fn apply_lets_go_as_cleanly() {
    let env = lake();
    let mut child = env.start(&["apply", "--auto-approve"]);
    until("it erases", || !staged(&env).is_empty() || complete(&env, "r", "delete"));
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let code = child.wait().unwrap().code();
    assert!(code == Some(143) || complete(&env, "r", "delete"), "{code:?}");
    converges(&env, "r");
}

#[test]
fn a_daemon_that_waits_stops_at_once() {
    let env = small();
    let mut daemon = Daemon::start(&env, &[]);
    daemon.ended(1);
    daemon.signal(Signal::INT);
    assert_eq!(daemon.wait(), 130);
    assert_eq!(daemon.err.with("everything done so far is recorded"), 1);
}

/// A daemon that hangs: it reads a key that never ends.
fn hanging(env: &Env) -> (Daemon, File) {
    let endless = env.path("endless.txt");
    assert!(Command::new("mkfifo").arg(&endless).status().unwrap().success());
    let daemon = Daemon::start(env, &["--identity", &endless.to_string_lossy()]);
    let mut writer = None;
    until("it reads", || {
        let mut options = OpenOptions::new();
        options.write(true).custom_flags(OFlags::NONBLOCK.bits().try_into().unwrap());
        // Refused as long as nobody reads.
        writer = options.open(&endless).ok();
        writer.is_some()
    });
    (daemon, writer.unwrap())
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let env = small();
    let (mut daemon, _writer) = hanging(&env);
    let asked = Instant::now();
    daemon.signal(Signal::TERM);
    daemon.signal(Signal::INT);
    let code = daemon.wait();
    assert!(code == 130 || code == 143, "{code}");
    assert!(asked.elapsed() < Duration::from_secs(8), "it waited for the first to be obeyed");
}

#[test]
fn whatever_hangs_it_ends_within_ten_seconds() {
    let env = small();
    let (mut daemon, _writer) = hanging(&env);
    let asked = Instant::now();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.wait(), 143);
    assert!(asked.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_request_that_came_before_the_signal_is_done_after_it() {
    let env = small();
    let daemon = Daemon::start(&env, &[]);
    daemon.ended(1);
    wants(&env, "one", "p1", "access, delete");
    assert_eq!(daemon.terminate(), 143);
    env.apply().exits(0);
    assert!(complete(&env, "one", "delete"));
}
