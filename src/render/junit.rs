//! Results as JUnit XML: for test reports. `check` has a case a file, `plan` a case a task; errors are
//! failures, holds and suspensions are skipped cases. No times, so that the same input gives the same bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::diagnostic::Severity;
use crate::reconcile::{CheckReport, PlanReport};

use super::Places;
use super::escape::xml;
use super::finding::{Finding, Standing, of_check, of_plan, standing};
use super::plan::{day, task_name};

/// One case.
struct Case {
    class: &'static str,
    name: String,
    /// Kind and text of what makes it fail.
    failures: Vec<(String, String)>,
    skipped: Option<String>,
    /// Warnings and notes.
    said: Vec<String>,
}

impl Case {
    fn new(class: &'static str, name: String) -> Self {
        Self { class, name, failures: Vec::new(), skipped: None, said: Vec::new() }
    }

    fn tell(&mut self, finding: &Finding) {
        let place = match finding.line {
            0 => finding.file.clone(),
            line => format!("{}:{line}:{}", finding.file, finding.column),
        };
        let help =
            finding.help.as_deref().map(|help| format!("; help: {help}")).unwrap_or_default();
        let text = format!("{place}: {}{help}", finding.message);
        if finding.severity == Severity::Error {
            self.failures.push((finding.rule.id.clone(), text));
        } else {
            self.said.push(format!("{}: {text}", finding.rule.id));
        }
    }
}

/// The report of `check`: a case a file.
pub fn check_junit(report: &CheckReport, places: &Places) -> String {
    let files = report.files.iter().map(|file| places.show(file));
    suite("amparo check", &file_cases(files, &of_check(report, places)))
}

/// The report of `plan`: a case a task, and one for each file with something wrong in it.
pub fn plan_junit(report: &PlanReport, places: &Places) -> String {
    let findings = of_plan(report, places);
    let of_files: Vec<Finding> =
        findings.into_iter().filter(|finding| !finding.rule.id.starts_with("task/")).collect();
    let mut cases = file_cases(std::iter::empty(), &of_files);
    for (task, _) in report.shown_tasks() {
        let action = task.action.map(|action| format!(" {action}")).unwrap_or_default();
        let mut case = Case::new("amparo.plan", format!("{}{action}", task_name(task)));
        let overdue = report.is_overdue(task);
        let reason = task.reason.map_or_else(|| task.phase.to_string(), |r| r.to_string());
        let text = task.message.clone().unwrap_or_else(|| task.phase.to_string());
        match standing(task, overdue) {
            Standing::Broken | Standing::Waits if overdue => {
                let due = task.due.map(day).unwrap_or_default();
                case.failures.push(("Overdue".to_owned(), format!("was due {due}: {text}")));
            }
            Standing::Broken | Standing::Waits => case.failures.push((reason, text)),
            Standing::Rests => case.skipped = Some(format!("{reason}: {text}")),
            Standing::Goes => {}
        }
        cases.push(case);
    }
    suite("amparo plan", &cases)
}

fn file_cases(files: impl Iterator<Item = String>, findings: &[Finding]) -> Vec<Case> {
    let mut cases: BTreeMap<String, Case> =
        files.map(|file| (file.clone(), Case::new("amparo.check", file))).collect();
    for finding in findings {
        cases
            .entry(finding.file.clone())
            .or_insert_with(|| Case::new("amparo.check", finding.file.clone()))
            .tell(finding);
    }
    cases.into_values().collect()
}

fn suite(name: &str, cases: &[Case]) -> String {
    let failures = cases.iter().filter(|case| !case.failures.is_empty()).count();
    let skipped = cases.iter().filter(|case| case.skipped.is_some()).count();
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", cases.len());
    let _ = writeln!(text, "<testsuites name=\"amparo\" {counts}>");
    let _ = writeln!(text, "  <testsuite name=\"{name}\" {counts} skipped=\"{skipped}\">");
    for case in cases {
        let _ =
            write!(text, "    <testcase classname=\"{}\" name=\"{}\"", case.class, xml(&case.name));
        if case.failures.is_empty() && case.skipped.is_none() && case.said.is_empty() {
            text.push_str("/>\n");
            continue;
        }
        text.push_str(">\n");
        // One failure a case: readers that know only one would lose the others.
        if let Some((kind, _)) = case.failures.first() {
            let lines: Vec<String> = case.failures.iter().map(|(_, text)| xml(text)).collect();
            let first = lines.first().map(String::as_str).unwrap_or_default();
            let _ = writeln!(
                text,
                "      <failure type=\"{}\" message=\"{first}\">{}</failure>",
                xml(kind),
                lines.join("\n")
            );
        }
        if let Some(why) = &case.skipped {
            let _ = writeln!(text, "      <skipped message=\"{}\"/>", xml(why));
        }
        if !case.said.is_empty() {
            let lines: Vec<String> = case.said.iter().map(|line| xml(line)).collect();
            let _ = writeln!(text, "      <system-out>{}</system-out>", lines.join("\n"));
        }
        text.push_str("    </testcase>\n");
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}
