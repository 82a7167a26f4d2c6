//! What `check` and `plan` tell a CI system: annotations, a job summary, report files.
//!
//! Annotations go to standard error: results alone go to standard output, and GitHub's runner reads both
//! streams for commands.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::reconcile::{CheckReport, PlanReport};
use crate::render::{self, COMMENT_LIMIT, Places, Style};

use super::error::CliError;
use super::global::Output;
use super::terminal::Terminal;

/// What GitHub takes of one step's summary, in bytes; beyond it drops the whole summary.
const SUMMARY_LIMIT: u64 = 1024 * 1024;

/// What we take of it, in characters of up to four bytes: other commands of the step want to add theirs.
const SUMMARY_SHARE: u64 = 131_072;

/// Which CI system reads along.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum System {
    /// What GITHUB_ACTIONS and GITLAB_CI say
    #[default]
    Auto,
    /// GitHub Actions: annotations on the lines at fault, and a job summary
    Github,
    /// GitLab CI/CD: `--report FILE` writes the Code Quality report
    Gitlab,
    /// None
    None,
}

/// Flags of the commands that CI runs on pull requests.
#[derive(Debug, clap::Args)]
pub(crate) struct CiArgs {
    /// Tell a CI system what is wrong where
    #[arg(long, value_enum, default_value_t, env = "AMPARO_CI")]
    ci: System,

    /// Also write the result to FILE: json, markdown, sarif, junit or codequality (GitLab); without
    /// FORMAT its ending says which (.json: codequality; .md, .sarif, .xml). May be repeated
    #[arg(long = "report", value_name = "[FORMAT=]FILE", value_parser = report, env = "AMPARO_REPORT")]
    reports: Vec<Report>,
}

/// A report file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    format: Format,
    path: PathBuf,
}

/// What can be written of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Human,
    Json,
    Markdown,
    Sarif,
    Junit,
    CodeQuality,
}

/// `FORMAT=FILE`, or `FILE` with an ending that tells.
fn report(text: &str) -> Result<Report, String> {
    let format = |name: &str| match name {
        "json" => Some(Format::Json),
        "markdown" => Some(Format::Markdown),
        "sarif" => Some(Format::Sarif),
        "junit" => Some(Format::Junit),
        "codequality" => Some(Format::CodeQuality),
        _ => None,
    };
    if let Some((name, path)) = text.split_once('=')
        && let Some(format) = format(name)
        && !path.is_empty()
    {
        return Ok(Report { format, path: path.into() });
    }
    let ending = Path::new(text).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let format = match ending {
        "json" => Format::CodeQuality,
        "md" => Format::Markdown,
        "sarif" => Format::Sarif,
        "xml" => Format::Junit,
        _ => {
            return Err(
                "name the format: json=, markdown=, sarif=, junit= or codequality=FILE".to_owned()
            );
        }
    };
    Ok(Report { format, path: text.into() })
}

/// A result of `check` or `plan`.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    Check(&'a CheckReport),
    Plan(&'a PlanReport),
}

impl Shown<'_> {
    fn text(self, format: Format, places: &Places, style: Style) -> String {
        match (self, format) {
            (Self::Check(report), Format::Human) => render::check_human(report, style),
            (Self::Check(report), Format::Json) => render::check_json(report),
            (Self::Check(report), Format::Markdown) => {
                render::check_markdown(report, places, COMMENT_LIMIT)
            }
            (Self::Check(report), Format::Sarif) => render::check_sarif(report, places),
            (Self::Check(report), Format::Junit) => render::check_junit(report, places),
            (Self::Check(report), Format::CodeQuality) => {
                render::check_code_quality(report, places)
            }
            (Self::Plan(report), Format::Human) => render::plan_report_human(report, style),
            (Self::Plan(report), Format::Json) => render::plan_json(report),
            (Self::Plan(report), Format::Markdown) => {
                render::plan_markdown(report, places, COMMENT_LIMIT)
            }
            (Self::Plan(report), Format::Sarif) => render::plan_sarif(report, places),
            (Self::Plan(report), Format::Junit) => render::plan_junit(report, places),
            (Self::Plan(report), Format::CodeQuality) => render::plan_code_quality(report, places),
        }
    }

    fn annotations(self, places: &Places, errors_only: bool) -> String {
        match self {
            Self::Check(report) => render::check_annotations(report, places, errors_only),
            Self::Plan(report) => render::plan_annotations(report, places, errors_only),
        }
    }

    fn summary(self, places: &Places, limit: usize) -> String {
        match self {
            Self::Check(report) => render::check_markdown(report, places, limit),
            Self::Plan(report) => render::plan_markdown(report, places, limit),
        }
    }
}

impl CiArgs {
    /// Prints the result in the format asked for, and tells CI.
    ///
    /// # Errors
    /// Standard output or a report file cannot be written.
    pub(crate) fn deliver(&self, shown: Shown<'_>, terminal: &Terminal) -> Result<(), CliError> {
        let system = self.system();
        let terminal = &terminal.for_runner(system == System::Github);
        let places = places(system)?;
        let format = match terminal.output() {
            Output::Human => Format::Human,
            Output::Json => Format::Json,
            Output::Markdown => Format::Markdown,
            Output::Sarif => Format::Sarif,
            Output::Junit => Format::Junit,
        };
        if format == Format::Human {
            terminal.diagnostics(match shown {
                Shown::Check(report) => &report.diagnostics,
                Shown::Plan(report) => &report.diagnostics,
            });
        }
        terminal.print(&shown.text(format, &places, terminal.style()))?;
        for report in &self.reports {
            write(&report.path, &shown.text(report.format, &places, Style::default()))?;
        }
        if system == System::Github {
            terminal.command(&shown.annotations(&places, terminal.quiet()));
            summarise(shown, &places, terminal);
        }
        Ok(())
    }

    fn system(&self) -> System {
        match self.ci {
            System::Auto if is_true("GITHUB_ACTIONS") => System::Github,
            System::Auto if is_true("GITLAB_CI") => System::Gitlab,
            System::Auto => System::None,
            chosen => chosen,
        }
    }
}

/// Whether a variable that CI systems set to `true` is set to anything that does not mean no.
fn is_true(name: &str) -> bool {
    let value = std::env::var(name).unwrap_or_default().to_lowercase();
    !["", "0", "n", "no", "f", "false", "off"].contains(&value.as_str())
}

/// Whether GitHub's runner reads what is printed.
pub(crate) fn runner_reads() -> bool {
    is_true("GITHUB_ACTIONS")
}

/// The repository's root: the CI system's checkout, else the working directory.
fn roots() -> Vec<PathBuf> {
    [("GITHUB_ACTIONS", "GITHUB_WORKSPACE"), ("GITLAB_CI", "CI_PROJECT_DIR")]
        .into_iter()
        .filter(|(system, _)| is_true(system))
        .filter_map(|(_, root)| std::env::var_os(root))
        .filter(|root| !root.is_empty())
        .map(PathBuf::from)
        .flat_map(|root| [root.canonicalize().ok(), Some(root)])
        .flatten()
        .collect()
}

fn places(system: System) -> Result<Places, CliError> {
    let here = std::env::current_dir()
        .map_err(|source| CliError::Directory { path: ".".into(), source })?;
    let roots = if system == System::None { Vec::new() } else { roots() };
    Ok(Places::new(here, roots))
}

/// A directory's path within the checkout: as it is, or, where it is absolute, relative to the repository's root
/// or the working directory.
///
/// # Errors
/// It lies elsewhere, or leads out of the checkout.
pub(crate) fn in_checkout(path: &Path, flag: &str) -> Result<PathBuf, CliError> {
    let here = std::env::current_dir()
        .map_err(|source| CliError::Directory { path: ".".into(), source })?;
    let shown = PathBuf::from(match path.is_absolute() {
        true => Places::new(here, roots()).show(&path.to_string_lossy()),
        false => Places::new(here, Vec::new()).show(&path.to_string_lossy()),
    });
    if shown.is_absolute() || shown.starts_with("..") {
        return Err(CliError::Usage {
            what: format!("{flag} lies outside the checkout: --base has no counterpart of it"),
            hint: "name the directory by a path relative to the repository's root".to_owned(),
        });
    }
    Ok(shown)
}

/// Replaces the file at once, so that nobody reads half a report.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |source| CliError::File { verb: "write", path: path.to_owned(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".amparo-{}-{name}", std::process::id()));
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(|source| {
        let _ = fs::remove_file(&beside);
        failed(source)
    })
}

/// Appends to the step's summary. Where that cannot be, the log says so: the result stands all the same.
fn summarise(shown: Shown<'_>, places: &Places, terminal: &Terminal) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return;
    };
    let used = fs::metadata(&path).map_or(0, |meta| meta.len());
    let room = (SUMMARY_LIMIT.saturating_sub(used) / 4).min(SUMMARY_SHARE);
    let limit = usize::try_from(room).unwrap_or(COMMENT_LIMIT);
    let text = format!("{}\n", shown.summary(places, limit));
    if used + text.len() as u64 > SUMMARY_LIMIT {
        return terminal.say("note: the job summary is full: this result is not in it");
    }
    let written = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    if let Err(error) = written {
        terminal.say(&format!("note: cannot write the job summary: {error}"));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_report_says_its_format_or_its_ending_does() {
        let of = |text: &str| report(text).map(|report| (report.format, report.path));
        assert_eq!(of("junit=a.txt").unwrap(), (Format::Junit, "a.txt".into()));
        assert_eq!(of("json=a=b.json").unwrap(), (Format::Json, "a=b.json".into()));
        assert_eq!(of("gl-code-quality-report.json").unwrap().0, Format::CodeQuality);
        assert_eq!(of("x=1/plan.md").unwrap(), (Format::Markdown, "x=1/plan.md".into()));
        for wrong in ["plan", "plan.txt", "json=", "nope=plan.txt"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
