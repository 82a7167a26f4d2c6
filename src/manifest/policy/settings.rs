//! The Settings document (CONTRACT.md section 1).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::dataset::{local, read_location};
use super::encryption;
use super::field::namespace_name;
use crate::manifest::codes::files::{DUPLICATE_KEY, EMPTY, NAME};
use crate::manifest::codes::hold::{
    KEY_NAME, KEY_SOURCE, LIMIT, PERIOD, PREFIX, STORE, UNKNOWN_REGULATION,
};
use crate::manifest::envelope::Envelope;
use crate::manifest::reader::{
    Fields, Report, Text, did_you_mean, entries, list, text, wrong_type,
};
use crate::manifest::tree::{Kind, Mark, Node};
use crate::model::{
    CompanyContext, CookieExpansion, Deadline, Ignored, KeySource, Limits, Name, Regulation,
    Settings,
};

/// Settings and the places in the document that later checks point at.
pub(super) struct SettingsDoc {
    pub(super) settings: Settings,
    /// Datasets and holds that are let go.
    pub(super) retired: Vec<(Name, Mark)>,
}

/// Reads a Settings document; what cannot be read keeps its default, and has been reported.
pub(super) fn read(report: &mut Report<'_>, envelope: &Envelope<'_>) -> Option<SettingsDoc> {
    let mut spec = Fields::open(report, envelope.spec?, "`spec`")?;
    let standard = Settings::default();
    let state = spec.text(report, "state");
    let exports = spec.text(report, "exports");
    let retention = spec.text(report, "exportRetention");
    let prefix = spec.text(report, "pseudonymPrefix");
    let cookie_expansion = spec.choice(
        report,
        "cookieExpansion",
        &[("one-hop", CookieExpansion::OneHop), ("fixpoint", CookieExpansion::Fixpoint)],
    );
    let deadlines = spec.get("deadlines");
    let limits = spec.nested(report, "limits");
    let keys = spec.get("keys");
    let contexts = spec.get("companyContexts");
    let retired = spec.get("retired");
    let sealing = spec.nested(report, "sealing");
    let packages = spec.nested(report, "packageEncryption");
    let coverage = spec.nested(report, "coverage");
    let approval = spec.choice(report, "approval", &[("none", false), ("required", true)]);
    spec.finish(report);

    let retired = retired.map(|node| read_retired(report, node)).unwrap_or_default();
    let settings = Settings {
        state: state.and_then(|found| store(report, found)).unwrap_or(standard.state),
        exports: exports.and_then(|found| store(report, found)).unwrap_or(standard.exports),
        export_retention_days: retention
            .and_then(|found| days(report, found))
            .unwrap_or(standard.export_retention_days),
        pseudonym_prefix: prefix
            .and_then(|found| read_prefix(report, found))
            .unwrap_or(standard.pseudonym_prefix),
        cookie_expansion: cookie_expansion.unwrap_or_default(),
        deadlines: deadlines.map(|node| read_deadlines(report, node)).unwrap_or_default(),
        limits: limits.map(|limits| read_limits(report, limits)).unwrap_or_default(),
        keys: keys.map(|node| read_keys(report, node)).unwrap_or_default(),
        company_contexts: contexts.map(|node| read_contexts(report, node)).unwrap_or_default(),
        approval_required: approval.unwrap_or_default(),
        coverage_ignored: coverage.map(|fields| read_coverage(report, fields)).unwrap_or_default(),
        retired: retired.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>(),
        sealing: sealing.map(|fields| encryption::sealing(report, fields)).unwrap_or_default(),
        package_recipients: packages
            .map(|fields| encryption::packages(report, fields))
            .unwrap_or_default(),
    };
    Some(SettingsDoc { settings, retired })
}

fn store(report: &mut Report<'_>, found: Text<'_>) -> Option<String> {
    match local(found.text) {
        Ok(()) => Some(found.text.to_owned()),
        Err(problem) => {
            report.error(STORE, found.at, problem).help("write a directory on this machine");
            None
        }
    }
}

fn days(report: &mut Report<'_>, found: Text<'_>) -> Option<u32> {
    if let Some(Deadline::Days(days)) = Deadline::parse(found.text) {
        return Some(u32::from(days));
    }
    let message = format!("{} is no period in days", report.quote(found.text));
    report.error(PERIOD, found.at, message).help("write a number of days, such as 14d");
    None
}

fn read_prefix(report: &mut Report<'_>, found: Text<'_>) -> Option<String> {
    let fits = found.text.chars().count() <= 64 && !found.text.chars().any(char::is_control);
    if !fits || found.text.trim().is_empty() {
        report
            .error(PREFIX, found.at, "no prefix for pseudonyms")
            .help("write 1 to 64 printable characters, such as Privacy-");
        return None;
    }
    Some(found.text.to_owned())
}

fn read_deadlines(report: &mut Report<'_>, node: &Node) -> BTreeMap<Regulation, Deadline> {
    let mut deadlines = BTreeMap::new();
    for entry in entries(report, node, "`deadlines`").unwrap_or_default() {
        let regulation = Regulation::new(&entry.key);
        if !regulation.is_known() {
            let known: Vec<&str> = Regulation::known().collect();
            let shown = report.quote(&entry.key);
            let help = match did_you_mean(&entry.key, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "it counts for requests that name exactly this code".to_owned(),
            };
            report
                .warning(UNKNOWN_REGULATION, entry.at, format!("{shown} is no known regulation"))
                .help(help);
        }
        let Some(found) = text(report, &entry.value, "a deadline") else { continue };
        let Some(deadline) = Deadline::parse(found.text) else {
            let message = format!("{} is no period", report.quote(found.text));
            report.error(PERIOD, found.at, message).help("write 30d, 1mo or 20wd");
            continue;
        };
        if deadlines.insert(regulation, deadline).is_some() {
            report
                .error(DUPLICATE_KEY, entry.at, "a regulation is there twice")
                .help("codes compare without case; remove one");
        }
    }
    deadlines
}

fn read_limits(report: &mut Report<'_>, mut limits: Fields<'_>) -> Limits {
    let standard = Limits::default();
    let mut number = |report: &mut Report<'_>, key: &'static str, low: u64, high: u64| {
        limits.get(key).and_then(|node| whole(report, node, key, low, high))
    };
    let users = number(report, "usersPerRequest", 1, 1000).and_then(|n| usize::try_from(n).ok());
    let ids = number(report, "idsPerUser", 1, 9).and_then(|n| usize::try_from(n).ok());
    let hops = number(report, "maxHops", 0, 1000).and_then(|n| u32::try_from(n).ok());
    let conflicts = number(report, "maxConflicts", 0, u64::MAX);
    let expanded = number(report, "maxExpandedIds", 0, u64::MAX);
    let rows = number(report, "maxRowsPerUser", 0, u64::MAX);
    let fraction = limits.get("maxFractionErased").and_then(|node| fraction(report, node));
    limits.finish(report);
    Limits {
        users_per_request: users.unwrap_or(standard.users_per_request),
        ids_per_user: ids.unwrap_or(standard.ids_per_user),
        max_hops: hops.unwrap_or(standard.max_hops),
        max_conflicts: conflicts.unwrap_or(standard.max_conflicts),
        max_expanded_ids: expanded.unwrap_or(standard.max_expanded_ids),
        max_rows_per_user: rows.unwrap_or(standard.max_rows_per_user),
        max_fraction_erased: fraction.unwrap_or(standard.max_fraction_erased),
    }
}

/// A number's text: a scalar without quotes.
fn digits(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar(scalar) if !scalar.quoted => Some(scalar.text.expose()),
        _ => None,
    }
}

fn whole(report: &mut Report<'_>, node: &Node, key: &str, low: u64, high: u64) -> Option<u64> {
    let Some(text) = digits(node).filter(|text| text.bytes().all(|b| b.is_ascii_digit())) else {
        wrong_type(report, node, &format!("`{key}`"), "a whole number");
        return None;
    };
    let number = text.parse().ok().filter(|number| (low..=high).contains(number));
    if number.is_none() {
        let help = match (key, high) {
            ("usersPerRequest" | "idsPerUser", _) => format!("Settings may only lower {high}"),
            (_, u64::MAX) => format!("write a whole number of at least {low}"),
            _ => format!("write a whole number, {low} to {high}"),
        };
        report.error(LIMIT, node.at, format!("`{key}` is out of range")).help(help);
    }
    number
}

fn fraction(report: &mut Report<'_>, node: &Node) -> Option<f64> {
    let plain = |text: &&str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = digits(node).filter(plain).and_then(|text| text.parse::<f64>().ok());
    let number = number.filter(|number| (0.0..=1.0).contains(number));
    if number.is_none() {
        report
            .error(LIMIT, node.at, "`maxFractionErased` is no fraction")
            .help("write a number between 0 and 1, such as 0.1");
    }
    number
}

fn read_keys(report: &mut Report<'_>, node: &Node) -> BTreeMap<String, KeySource> {
    let mut keys = BTreeMap::new();
    for entry in entries(report, node, "`keys`").unwrap_or_default() {
        let ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if entry.key.is_empty() || entry.key.len() > 63 || !entry.key.chars().all(ok) {
            report.hide(entry.at);
            report
                .error(KEY_NAME, entry.at, "no name of a key")
                .help("write 1 to 63 letters, digits, `-`, `_` or `.`");
        }
        if let Some(source) = read_source(report, &entry.value) {
            keys.insert(entry.key.clone(), source);
        }
    }
    keys
}

fn read_source(report: &mut Report<'_>, node: &Node) -> Option<KeySource> {
    let mut fields = Fields::open(report, node, "a key")?;
    let file = fields.text(report, "file");
    let env = fields.text(report, "env");
    let (has_file, has_env) = (fields.get("file").is_some(), fields.get("env").is_some());
    fields.finish(report);
    if has_file == has_env {
        let message = if has_file { "a key from two places" } else { "a key from nowhere" };
        report.error(KEY_SOURCE, node.at, message).help("write either {file: PATH} or {env: NAME}");
        return None;
    }
    if let Some(file) = file {
        return store(report, file).map(|path| KeySource::File(PathBuf::from(path)));
    }
    let env = env?;
    let valid = env.text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !env.text.starts_with(|c: char| c.is_ascii_digit());
    if !valid {
        // The key itself, perhaps.
        report.hide(env.at);
        report
            .error(KEY_NAME, env.at, "no name of an environment variable")
            .help("write letters, digits and `_`, not starting with a digit");
        return None;
    }
    Some(KeySource::Env(env.text.to_owned()))
}

fn read_contexts(report: &mut Report<'_>, node: &Node) -> Vec<CompanyContext> {
    let nodes = list(report, node, "`companyContexts`").unwrap_or_default();
    let mut contexts = Vec::new();
    for node in nodes {
        let Some(mut fields) = Fields::open(report, node, "a company context") else { continue };
        let namespace = fields.required_text(report, "namespace");
        let value = fields.required_text(report, "value");
        fields.finish(report);
        let namespace = namespace.and_then(|found| namespace_name(report, found));
        if let (Some(namespace), Some(value)) = (namespace, value) {
            contexts.push(CompanyContext { namespace, value: value.text.to_owned() });
        }
    }
    if nodes.is_empty() && matches!(node.kind, Kind::List(_)) {
        report
            .error(EMPTY, node.at, "`companyContexts` is empty")
            .help("name the own organisations, or remove the key to accept any");
    }
    contexts
}

/// `coverage: {ignore: [{location, reason}]}`.
fn read_coverage(report: &mut Report<'_>, mut coverage: Fields<'_>) -> Vec<Ignored> {
    let nodes = coverage.required(report, "ignore");
    coverage.finish(report);
    let nodes = nodes.and_then(|node| list(report, node, "`ignore`")).unwrap_or_default();
    let mut ignored = Vec::new();
    for node in nodes {
        let Some(mut fields) = Fields::open(report, node, "an ignored place") else { continue };
        let location = fields.required_text(report, "location");
        let reason = fields.required_text(report, "reason");
        fields.finish(report);
        let location = location.and_then(|location| read_location(report, location));
        if let (Some(location), Some(reason)) = (location, reason) {
            let position = report.position(node.at);
            ignored.push(Ignored { location, reason: reason.text.to_owned(), position });
        }
    }
    ignored
}

fn read_retired(report: &mut Report<'_>, node: &Node) -> Vec<(Name, Mark)> {
    let mut names = Vec::new();
    for item in list(report, node, "`retired`").unwrap_or_default() {
        let Some(found) = text(report, item, "a name") else { continue };
        match Name::new(found.text) {
            Ok(name) => names.push((name, found.at)),
            Err(error) => {
                let message = format!("{} is no document's name", report.quote(found.text));
                report.error(NAME, found.at, message).help(format!("it {error}"));
            }
        }
    }
    names
}
