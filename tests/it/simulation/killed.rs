//! The real process, killed with `kill -9` somewhere in its pass.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use super::check::{Broken, hold};
use super::run::Watch;
use super::world::World;

impl World {
    /// The process is killed once it has said so many lines, and a pass after it comes to what one alone
    /// would have come to.
    pub(super) fn killed(&mut self, lines: u8) -> Result<(), Broken> {
        let mut foreseen = self.model.foresee();
        if foreseen.conflicts() {
            // What the killed one erases may be what a conflict is about: the next then goes on.
            return self.whole();
        }
        foreseen.shared = true;
        let said = self.start_and_kill(usize::from(lines % 64));
        self.check_secrets(&said)?;
        let mut watch = Watch::default();
        let report = self.pass(&mut watch).map_err(|e| format!("after a kill: {e}"))?;
        hold!(report.ledger.is_some() || self.model.policies.broken, "the ledger was not opened");
        self.settled(foreseen, &report, &watch, "").map_err(|e| format!("after a kill: {e}"))
    }

    /// Starts a pass as a process of its own, and kills it; what it said. One that ends before has ended.
    fn start_and_kill(&self, lines: usize) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_amparo"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AMPARO_")) {
            command.env_remove(name);
        }
        for folder in ["policies", "requests", "state", "exports"] {
            command.arg(format!("--{folder}")).arg(self.path(folder));
        }
        let mut child = command
            .arg("-C")
            .arg(self.path(""))
            .args(["--now", &self.model.now.to_string(), "-vv", "apply", "--auto-approve"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut all: Vec<String> = said.by_ref().take(lines).collect();
        child.kill().unwrap();
        all.extend(said);
        child.wait().unwrap();
        all.join("\n")
    }
}
