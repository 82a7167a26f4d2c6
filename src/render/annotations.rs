//! Findings on the lines at fault: GitHub's workflow commands, and GitLab's Code Quality report.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diagnostic::Severity;
use crate::reconcile::{CheckReport, PlanReport};

use super::escape::{clip, printable};
use super::finding::{Finding, of_check, of_plan};
use super::style::plural;
use super::{Places, plan};

/// What GitHub shows of one level and step; it drops the rest without a word.
const PER_LEVEL: usize = 10;

/// A message at most so long, help included.
const MESSAGE: usize = 2_000;

/// GitHub's workflow commands for `check`: worst first, no more than it shows, then a notice that counts the
/// others. With `errors_only` nothing else is told.
pub fn check_annotations(report: &CheckReport, places: &Places, errors_only: bool) -> String {
    let verdict = if report.valid { "valid" } else { "invalid" };
    github(&of_check(report, places), &format!("policies and requests are {verdict}"), errors_only)
}

/// The same for `plan`.
pub fn plan_annotations(report: &PlanReport, places: &Places, errors_only: bool) -> String {
    let totals = report.plan.as_ref().map(|plan| plan::totals_line(&plan.totals));
    let totals = totals.unwrap_or_else(|| "no plan: the policies are invalid".to_owned());
    github(&of_plan(report, places), &totals, errors_only)
}

fn github(findings: &[Finding], verdict: &str, errors_only: bool) -> String {
    let mut text = String::new();
    let mut left_out = Vec::new();
    for (severity, level, one, many) in [
        (Severity::Error, "error", "error", "errors"),
        (Severity::Warning, "warning", "warning", "warnings"),
        (Severity::Note, "notice", "note", "notes"),
    ] {
        if errors_only && severity != Severity::Error {
            continue;
        }
        // One notice is kept for the last word.
        let most = if severity == Severity::Note { PER_LEVEL - 1 } else { PER_LEVEL };
        let all: Vec<&Finding> = findings.iter().filter(|f| f.severity == severity).collect();
        for finding in all.iter().take(most) {
            text.push_str(&command(level, finding));
        }
        if all.len() > most {
            left_out.push(plural((all.len() - most) as u64, one, many));
        }
    }
    if !left_out.is_empty() {
        let rest = format!("{verdict}; {} more in the log and the summary", left_out.join(", "));
        let _ = writeln!(text, "::notice title=amparo::{}", data(&rest));
    }
    text
}

fn command(level: &str, finding: &Finding) -> String {
    let mut line = format!("::{level} file={}", property(&finding.file));
    if finding.line > 0 {
        let _ = write!(line, ",line={0},endLine={0}", finding.line);
        if finding.column > 0 {
            let _ = write!(line, ",col={}", finding.column);
            if finding.length > 0 {
                let _ = write!(line, ",endColumn={}", finding.column + finding.length);
            }
        }
    }
    let title = format!("{}: {}", finding.rule.id, finding.rule.title);
    let mut message = printable(&finding.message);
    if let Some(help) = &finding.help {
        message.push_str("\nhelp: ");
        message.push_str(&printable(help));
    }
    format!("{line},title={}::{}\n", property(&title), data(&clip(&message, MESSAGE)))
}

/// A command's text: `%`, carriage return and line feed encoded.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value: `:` and `,` too.
fn property(text: &str) -> String {
    data(&printable(text)).replace(':', "%3A").replace(',', "%2C")
}

/// GitLab's Code Quality report of `check`.
pub fn check_code_quality(report: &CheckReport, places: &Places) -> String {
    code_quality(&of_check(report, places))
}

/// GitLab's Code Quality report of `plan`.
pub fn plan_code_quality(report: &PlanReport, places: &Places) -> String {
    code_quality(&of_plan(report, places))
}

fn code_quality(findings: &[Finding]) -> String {
    let list: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let help = finding.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
            json!({
                "description": format!("{}{help}", finding.message),
                "check_name": finding.rule.id,
                "fingerprint": finding.fingerprint,
                "severity": match finding.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "minor",
                    Severity::Note => "info",
                },
                "location": { "path": finding.file, "lines": { "begin": finding.line.max(1) } },
            })
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&list).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::finding::Rule;

    fn finding(severity: Severity, line: usize, file: &str, message: &str) -> Finding {
        Finding {
            rule: Rule {
                id: "AMP0001".to_owned(),
                title: "a title: with, signs".to_owned(),
                explanation: String::new(),
            },
            severity,
            file: file.to_owned(),
            line,
            column: 5,
            length: 2,
            source: None,
            message: message.to_owned(),
            help: Some("do\nthis".to_owned()),
            fingerprint: String::new(),
        }
    }

    #[test]
    fn hostile_names_stay_inside_their_command() {
        let hostile = finding(
            Severity::Error,
            3,
            "requests/a,line=1::b%0A\r\n::error::x.yaml",
            "100%\n::stop-commands::t\r##[add-mask]x\u{1b}[2J",
        );
        let text = github(&[hostile], "", false);
        assert_eq!(
            text,
            "::error file=requests/a%2Cline=1%3A%3Ab%250A\\r\\n%3A%3Aerror%3A%3Ax.yaml,line=3,endLine=3,col=5,\
             endColumn=7,title=AMP0001%3A a title%3A with%2C signs::100%25\\n::stop-commands::t\\r##[add-mask]x\
             \\u{1b}[2J%0Ahelp: do\\nthis\n"
        );
    }

    #[test]
    fn worst_come_first_and_the_rest_is_counted() {
        let mut all: Vec<Finding> =
            (1..=13).map(|n| finding(Severity::Error, n, "f", "e")).collect();
        all.extend((1..=11).map(|n| finding(Severity::Warning, n, "f", "w")));
        all.extend((1..=10).map(|n| finding(Severity::Note, n, "f", "n")));
        let text = github(&all, "1 export, 0 erasures", false);
        let levels: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim_start_matches(':').split(' ').next())
            .collect();
        let expected: Vec<&str> = [("error", 10), ("warning", 10), ("notice", 10)]
            .into_iter()
            .flat_map(|(level, n)| std::iter::repeat_n(level, n))
            .collect();
        assert_eq!(levels, expected);
        assert_eq!(
            text.lines().last(),
            Some(
                "::notice title=amparo::1 export, 0 erasures; 3 errors, 1 warning, 1 note more in the log and \
                 the summary"
            )
        );
        let quiet = github(&all, "", true);
        assert_eq!(quiet.lines().filter(|line| line.starts_with("::error ")).count(), 10);
        assert!(!quiet.contains("::warning"));
    }

    #[test]
    fn a_finding_without_a_line_is_about_its_file() {
        let text = github(&[finding(Severity::Warning, 0, "policies", "x")], "", false);
        assert!(text.starts_with("::warning file=policies,title="), "{text}");
        let json: Value =
            serde_json::from_str(&code_quality(&[finding(Severity::Note, 0, "policies", "x")]))
                .unwrap_or_default();
        assert_eq!(json[0]["location"]["lines"]["begin"], 1);
        assert_eq!(json[0]["severity"], "info");
    }
}
