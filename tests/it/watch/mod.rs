//! The daemon: the real process, real files, real signals.

mod changes;
mod killed;
mod messages;
mod signals;
mod writers;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::{Env, WHO, block, text, until};

/// A running daemon.
struct Daemon {
    child: Child,
    out: Lines,
    err: Lines,
}

/// What it has printed until now.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn read(&self, from: impl Read + Send + 'static) {
        let all = self.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                all.0.lock().unwrap().push(line);
            }
        });
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn with(&self, part: &str) -> usize {
        self.all().iter().filter(|line| line.contains(part)).count()
    }
}

impl Daemon {
    fn start(env: &Env, args: &[&str]) -> Self {
        Self::start_with(env, args, &[])
    }

    /// At `-vv`, so that every pass shows, the idle ones too.
    fn start_with(env: &Env, args: &[&str], vars: &[(&str, &str)]) -> Self {
        let mut child = env
            .command(&["-vv", "watch", "--interval", "1d"])
            .args(args)
            .env_remove("NOTIFY_SOCKET")
            .envs(vars.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (out, err) = (Lines::default(), Lines::default());
        out.read(child.stdout.take().unwrap());
        err.read(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// Passes that have begun.
    fn passes(&self) -> usize {
        self.err.with("a pass begins")
    }

    /// Waits until that many passes have ended.
    #[track_caller]
    fn ended(&self, passes: usize) {
        until("the pass ends", || self.err.with("a pass ended") >= passes);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    fn terminate(mut self) -> i32 {
        self.signal(rustix::process::Signal::TERM);
        self.wait()
    }

    /// The exit code.
    fn wait(&mut self) -> i32 {
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), None, "killed: {:?}", self.err.all());
        status.code().unwrap()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A small lake and its policy; requests are for the test to make.
fn small() -> Env {
    let env = Env::new();
    env.parquet("lake/e/a.parquet", vec![("who", text(&["p1", "p2", "p3", "p1"]))]);
    env.table("e", "lake/e/", &[WHO]);
    env
}

/// A request of one person.
fn wants(env: &Env, name: &str, person: &str, actions: &str) {
    env.ask(name, "e", &[block("A", actions, "who", person)]);
}

/// Whether the ledger knows a task as complete.
fn complete(env: &Env, request: &str, action: &str) -> bool {
    let status = env.run(&["status", "-o", "json"]);
    if status.code != 0 {
        return false;
    }
    status.json()["tasks"].as_array().unwrap().iter().any(|task: &Value| {
        task["request"] == request && task["action"] == action && task["phase"] == "Complete"
    })
}

/// Every file below a folder, while others make and remove some.
fn below(env: &Env, folder: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![env.path(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// Files that only a running pass may have in a lake.
fn staged(env: &Env) -> Vec<String> {
    let names = below(env, "lake").into_iter().map(|path| path.to_string_lossy().into_owned());
    names.filter(|name| name.contains("/.amparo-")).collect()
}
