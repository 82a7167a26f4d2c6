//! Hold documents (RULES.md section 5).

use super::field;
use crate::manifest::codes::files::{EMPTY, NAME};
use crate::manifest::codes::hold::HOLD_SCOPE;
use crate::manifest::envelope::Envelope;
use crate::manifest::reader::{Fields, Report, list, text};
use crate::manifest::tree::{Mark, Node};
use crate::model::{FieldPath, Hold, HoldScope, Name};

/// A hold and where the names in it stand.
pub(super) struct HoldDoc {
    pub(super) hold: Hold,
    pub(super) datasets: Vec<(Name, Mark)>,
    pub(super) fields: Vec<(FieldPath, Mark)>,
    pub(super) requests: Vec<(Name, Mark)>,
    pub(super) keys: Vec<(String, Mark)>,
    /// Its end; its name where it has none.
    pub(super) until_at: Mark,
}

/// Reads a Hold. `None` where it has no name or does not say what it covers.
pub(super) fn read(report: &mut Report<'_>, envelope: &Envelope<'_>) -> Option<HoldDoc> {
    let mut spec = Fields::open(report, envelope.spec?, "`spec`")?;
    let datasets_node = spec.get("datasets");
    let fields_node = spec.get("fields");
    let requests_node = spec.get("requests");
    let keys_node = spec.get("keys");
    let until_at = spec.get("until").map(|node| node.at);
    let until = spec.date(report, "until");
    let reason = spec.required_text(report, "reason");
    let at = spec.at();
    spec.finish(report);

    let datasets = names(report, datasets_node, "`datasets`");
    let requests = names(report, requests_node, "`requests`");
    let fields = items(report, fields_node, "`fields`", field::path);
    let keys = items(report, keys_node, "`keys`", |report, node| {
        text(report, node, "a key").map(|key| key.text.to_owned())
    });
    match (datasets_node, requests_node) {
        (Some(_), Some(node)) => {
            report
                .error(HOLD_SCOPE, node.at, "a hold names both datasets and requests")
                .help("write two holds");
            return None;
        }
        (None, None) => {
            report
                .error(HOLD_SCOPE, at, "a hold names neither datasets nor requests")
                .help("add `datasets: […]` or `requests: […]`");
            return None;
        }
        _ => {}
    }
    for (name, node, with, there) in [
        ("fields", fields_node, "datasets", datasets_node.is_some()),
        ("keys", keys_node, "requests", requests_node.is_some()),
    ] {
        if let Some(node) = node.filter(|_| !there) {
            report
                .error(HOLD_SCOPE, node.at, format!("`{name}` without `{with}`"))
                .help(format!("`{name}` narrows `{with}`"));
        }
    }

    let scope = if datasets_node.is_some() {
        let names = datasets.iter().map(|(name, _)| name.clone()).collect();
        let paths = fields.iter().map(|(path, _)| path.clone()).collect();
        HoldScope::Datasets { datasets: names, fields: paths }
    } else {
        let names = requests.iter().map(|(name, _)| name.clone()).collect();
        let kept = keys.iter().map(|(key, _)| key.clone()).collect();
        HoldScope::Requests { requests: names, keys: kept }
    };
    let (name, at) = envelope.name.clone()?;
    if until_at.is_some() && until.is_none() {
        return None;
    }
    Some(HoldDoc {
        hold: Hold {
            name,
            scope,
            until,
            reason: reason?.text.to_owned(),
            position: report.position(envelope.at),
        },
        until_at: until_at.unwrap_or(at),
        fields: if datasets_node.is_some() { fields } else { Vec::new() },
        keys: if requests_node.is_some() { keys } else { Vec::new() },
        datasets,
        requests,
    })
}

fn names(report: &mut Report<'_>, node: Option<&Node>, what: &str) -> Vec<(Name, Mark)> {
    items(report, node, what, |report, node| {
        let found = text(report, node, "a name")?;
        match Name::new(found.text) {
            Ok(name) => Some(name),
            // The name of an Adobe JSON request comes from its file name, and may be no DNS label.
            Err(_)
                if what == "`requests`"
                    && Name::from_file_stem(found.text).as_str() == found.text =>
            {
                Some(Name::from_file_stem(found.text))
            }
            Err(error) => {
                let message = format!("{} is no document's name", report.quote(found.text));
                report.error(NAME, found.at, message).help(format!("it {error}"));
                None
            }
        }
    })
}

/// The items of a list that is not empty, where it is there.
fn items<T>(
    report: &mut Report<'_>,
    node: Option<&Node>,
    what: &str,
    mut item: impl FnMut(&mut Report<'_>, &Node) -> Option<T>,
) -> Vec<(T, Mark)> {
    let Some(node) = node else { return Vec::new() };
    let Some(nodes) = list(report, node, what) else { return Vec::new() };
    if nodes.is_empty() {
        report
            .error(EMPTY, node.at, format!("{what} is empty"))
            .help("name at least one, or remove the key");
    }
    nodes.iter().filter_map(|node| item(report, node).map(|value| (value, node.at))).collect()
}
