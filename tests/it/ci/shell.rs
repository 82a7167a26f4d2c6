//! Runs the shell commands of the examples: with the real binary on the PATH, the demo's lake, and stand-ins for the
//! systems' own programs.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Env, NOW};

/// A checkout with the demo's files, in which nothing has been applied.
pub(super) struct Checkout {
    pub(super) env: Env,
    variables: BTreeMap<String, String>,
}

impl Checkout {
    pub(super) fn new() -> Self {
        let env = Env::new();
        env.run(&["demo", "work"]).exits(0);
        // What the demo exported can be exported again; what it erased is gone.
        for made in ["state", "exports"] {
            std::fs::remove_dir_all(env.path("work").join(made)).unwrap();
        }
        std::fs::create_dir(env.path("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_amparo"), env.path("bin/amparo")).unwrap();
        Self { env, variables: BTreeMap::new() }
    }

    /// Where the scripts run.
    pub(super) fn work(&self) -> PathBuf {
        self.env.path("work")
    }

    /// Sets a variable for every script.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Puts a program on the PATH, before all others.
    pub(super) fn stand_in(&self, name: &str, script: &str) {
        self.env.write(&format!("bin/{name}"), &format!("#!/bin/bash\n{script}\n"));
        let path = self.env.path("bin").join(name);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Runs a script as the systems do: `bash -e -o pipefail`.
    pub(super) fn run(&self, script: &str) -> Output {
        let path = format!("{}:{}", self.env.path("bin").display(), std::env::var("PATH").unwrap());
        Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script])
            .current_dir(self.work())
            .env_clear()
            .env("PATH", path)
            .env("AMPARO_NOW", NOW)
            .env("HOME", self.env.root())
            .envs(&self.variables)
            .output()
            .unwrap()
    }

    /// Runs a script that must succeed.
    #[track_caller]
    pub(super) fn succeeds(&self, script: &str) -> String {
        let output = self.run(script);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{script}\n--- {}\n{stdout}\n{stderr}", output.status);
        stdout
    }
}

/// A file of the repository.
pub(super) fn repository(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The documents of a YAML file.
pub(super) fn yaml(path: &str) -> Vec<Value> {
    repository(path)
        .split("\n---\n")
        .map(|document| serde_yaml::from_str(document).unwrap_or_else(|e| panic!("{path}: {e}")))
        .collect()
}

/// A list of texts.
pub(super) fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
        .collect()
}
