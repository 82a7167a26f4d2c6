//! Findings as SARIF 2.1.0 (OASIS): for code scanning. Paths are relative to the repository's root
//! (`%SRCROOT%`); fingerprints stay the same when lines move.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::diagnostic::Severity;
use crate::reconcile::{CheckReport, PlanReport};

use super::Places;
use super::escape::uri;
use super::finding::{Finding, of_check, of_plan};

/// The name of our fingerprint; its number grows when what it covers changes.
const FINGERPRINT: &str = "amparoFinding/v1";

/// The log of `check`.
pub fn check_sarif(report: &CheckReport, places: &Places) -> String {
    log("check", &of_check(report, places))
}

/// The log of `plan`.
pub fn plan_sarif(report: &PlanReport, places: &Places) -> String {
    log("plan", &of_plan(report, places))
}

fn log(command: &str, findings: &[Finding]) -> String {
    let rules: BTreeMap<&str, &Finding> =
        findings.iter().rev().map(|finding| (finding.rule.id.as_str(), finding)).collect();
    let index: BTreeMap<&str, usize> =
        rules.keys().enumerate().map(|(index, id)| (*id, index)).collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| result(finding, index.get(finding.rule.id.as_str()).copied()))
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "amparo",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
            }},
            "automationDetails": { "id": format!("amparo/{command}/") },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {
                "%SRCROOT%": { "description": { "text": "The root of the repository." } },
            },
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// A rule as its worst finding shows it.
fn rule(finding: &Finding) -> Value {
    let rule = &finding.rule;
    let explanation = if rule.explanation.is_empty() { &rule.title } else { &rule.explanation };
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.title },
        "help": { "text": explanation },
        "defaultConfiguration": { "level": level(finding.severity) },
    })
}

fn result(finding: &Finding, rule: Option<usize>) -> Value {
    let mut text = finding.message.clone();
    if let Some(help) = &finding.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let mut result = json!({
        "ruleId": finding.rule.id,
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [{ "physicalLocation": place(finding) }],
        "partialFingerprints": { FINGERPRINT: finding.fingerprint },
    });
    if let (Some(rule), Value::Object(keys)) = (rule, &mut result) {
        keys.insert("ruleIndex".to_owned(), json!(rule));
    }
    result
}

fn place(finding: &Finding) -> Value {
    let mut place = json!({ "artifactLocation": artifact(&finding.file) });
    if finding.line > 0
        && let Value::Object(keys) = &mut place
    {
        let mut region = json!({ "startLine": finding.line });
        if let Value::Object(region) = &mut region {
            if finding.column > 0 {
                region.insert("startColumn".to_owned(), json!(finding.column));
                if finding.length > 0 {
                    let end = finding.column + finding.length;
                    region.insert("endColumn".to_owned(), json!(end));
                }
            }
            if let Some(source) = &finding.source {
                region.insert("snippet".to_owned(), json!({ "text": source }));
            }
        }
        keys.insert("region".to_owned(), region);
    }
    place
}

/// A file outside the repository can only be named as it is.
fn artifact(file: &str) -> Value {
    if file.starts_with('/') {
        json!({ "uri": format!("file://{}", uri(file)) })
    } else {
        json!({ "uri": uri(file), "uriBaseId": "%SRCROOT%" })
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}
