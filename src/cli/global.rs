//! Flags that every command takes.

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use crate::reconcile::{Clock, Stop, Tries, Workspace};

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// Markdown, for pull requests.
    Markdown,
    /// SARIF 2.1.0, for code scanning; check and plan only.
    Sarif,
    /// JUnit XML, for test reports; check and plan only.
    Junit,
}

impl Output {
    /// Of commands that report on many things.
    pub(crate) const REPORT: &[Self] = &[Self::Human, Self::Json, Self::Markdown];
    /// Of commands that print one thing, for people or scripts.
    pub(crate) const DATA: &[Self] = &[Self::Human, Self::Json];
    /// Of commands that print what has a form of its own.
    pub(crate) const TEXT: &[Self] = &[Self::Human];

    /// As `-o` takes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
        }
    }
}

/// When colours are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines of text.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The flags. Each can be an environment variable, too.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Work in this directory: every relative path is relative to it
    #[arg(short = 'C', long, global = true, value_name = "DIR", env = "AMPARO_CHDIR")]
    pub(crate) chdir: Option<PathBuf>,

    /// Where the policies lie
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "policies",
        env = "AMPARO_POLICIES"
    )]
    pub(crate) policies: PathBuf,

    /// Where the requests lie
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "requests",
        env = "AMPARO_REQUESTS"
    )]
    pub(crate) requests: PathBuf,

    /// Where the approvals lie; need not be there
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = "approvals",
        env = "AMPARO_APPROVALS"
    )]
    pub(crate) approvals: PathBuf,

    /// Ledger and keys, instead of what Settings says
    #[arg(long, global = true, value_name = "URL", env = "AMPARO_STATE", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) state: Option<String>,

    /// Where packages are written, instead of what Settings says
    #[arg(long, global = true, value_name = "URL", env = "AMPARO_EXPORTS", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) exports: Option<String>,

    /// For spills and packages in the making; cleared at the start of every pass [default: STATE/scratch]
    #[arg(long, global = true, value_name = "DIR", env = "AMPARO_SCRATCH")]
    pub(crate) scratch: Option<PathBuf>,

    /// The age identity file that opens sealed identities and encrypted packages
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "AMPARO_IDENTITY",
        hide_env_values = true
    )]
    pub(crate) identity: Option<PathBuf>,

    /// How results are printed
    #[arg(short, long, global = true, value_enum, default_value_t, env = "AMPARO_OUTPUT")]
    pub(crate) output: Output,

    /// When colours are used
    #[arg(long, global = true, value_enum, default_value_t, env = "AMPARO_COLOR")]
    pub(crate) color: Color,

    /// Print errors only
    #[arg(short, long, global = true, env = "AMPARO_QUIET", value_parser = FalseyValueParser::new())]
    pub(crate) quiet: bool,

    /// Say more: -v what is done, -vv how
    #[arg(short, long, global = true, action = clap::ArgAction::Count, env = "AMPARO_VERBOSE")]
    pub(crate) verbose: u8,

    /// How log lines look
    #[arg(long, global = true, value_enum, default_value_t, env = "AMPARO_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,

    /// How long to wait for another pass on the same state, such as 60s or 5m
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration, env = "AMPARO_LOCK_WAIT")]
    pub(crate) lock_wait: Duration,

    /// Memory that scans and sorts may hold before they spill, such as 512M or 2G
    #[arg(long, global = true, value_name = "SIZE", default_value = "512M", value_parser = size, env = "AMPARO_MEMORY")]
    pub(crate) memory: usize,

    /// Worker threads; 0 means one a core
    #[arg(long, global = true, value_name = "N", default_value_t = 0, env = "AMPARO_JOBS")]
    pub(crate) jobs: usize,

    /// The time that counts as now, for tests
    #[arg(long, global = true, hide = true, value_name = "RFC3339", value_parser = instant, env = "AMPARO_NOW")]
    pub(crate) now: Option<Timestamp>,
}

impl Global {
    /// The surroundings of a pass.
    pub(crate) fn workspace(&self) -> Workspace {
        Workspace {
            policies: self.policies.clone(),
            requests: self.requests.clone(),
            approvals: self.approvals.clone(),
            state: self.state.clone(),
            exports: self.exports.clone(),
            scratch: self.scratch.clone(),
            identity: self.identity.clone(),
            lock_wait: self.lock_wait,
            clock: self.now.map_or(Clock::System, Clock::Fixed),
            tries: Tries::All,
            memory: self.memory,
            jobs: self.jobs,
            stop: Stop::default(),
        }
    }
}

fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "not a time like 2026-11-22T09:30:00Z".to_owned())
}

/// `90`, `90s`, `5m`, `2h`, `1d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("not a time like 60s, 5m or 1h".to_owned()),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|n| n.checked_mul(unit))
        .map(Duration::from_secs)
        .ok_or_else(|| "not a time like 60s, 5m or 1h".to_owned())
}

/// `1048576`, `512K`, `512M`, `2G`; at least 16 MiB.
fn size(text: &str) -> Result<usize, String> {
    let bare = text.trim_end_matches('B').trim_end_matches('i');
    let digits = bare.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &bare[digits.len()..] {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        _ => return Err("not a size like 512M or 2G".to_owned()),
    };
    let bytes = digits.parse::<usize>().ok().and_then(|n| n.checked_mul(1 << shift));
    match bytes {
        Some(bytes) if bytes >= 16 << 20 => Ok(bytes),
        Some(_) => Err("at least 16M".to_owned()),
        None => Err("not a size like 512M or 2G".to_owned()),
    }
}
