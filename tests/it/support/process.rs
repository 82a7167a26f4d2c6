//! The binary, run and waited for.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Env;

/// What a run printed and how it ended.
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Run {
    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| {
            panic!("no JSON: {e}\nexit {}\n{}\n{}", self.code, self.stdout, self.stderr)
        })
    }

    /// Asserts the exit code, showing everything where it differs.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output, standard error and status together, for snapshots.
    pub(crate) fn transcript(&self) -> String {
        format!("--- stdout\n{}--- stderr\n{}--- exit {}\n", self.stdout, self.stderr, self.code)
    }
}

/// The time in every test.
pub(crate) const NOW: &str = "2026-11-22T09:00:00Z";

/// By which CI systems make themselves known: these tests are told by flags and variables of their own.
pub(crate) const CI_VARIABLES: [&str; 5] =
    ["GITHUB_ACTIONS", "GITHUB_WORKSPACE", "GITHUB_STEP_SUMMARY", "GITLAB_CI", "CI_PROJECT_DIR"];

/// Long enough for any machine; nothing waits for it where things work.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for something to become true.
#[track_caller]
pub(crate) fn until(what: &str, mut is: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

impl Env {
    /// The binary on these arguments, not started yet; `-C` is set, and the clock where the arguments do not.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo"));
        command.arg("-C").arg(self.root()).args(args);
        if !args.contains(&"--now") {
            command.args(["--now", NOW]);
        }
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AMPARO_")) {
            command.env_remove(name);
        }
        for name in CI_VARIABLES {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1");
        command
    }

    /// Starts the binary, and does not wait for it; nobody listens to it.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs the binary; `-C` is set, and the clock where the arguments do not.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, &[], "")
    }

    /// Runs the binary with environment variables and standard input.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)], stdin: &str) -> Run {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        let output: Output =
            assert_cmd::Command::from_std(command).write_stdin(stdin).output().unwrap();
        Run {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Applies without asking.
    pub(crate) fn apply(&self) -> Run {
        self.run(&["apply", "--auto-approve", "-o", "json"])
    }

    /// The plan as JSON.
    pub(crate) fn plan(&self) -> Run {
        self.run(&["plan", "-o", "json"])
    }
}
