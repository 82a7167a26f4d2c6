//! Role documents: who may see what.

use std::collections::BTreeSet;

use crate::manifest::codes::role::{
    ROLE_LABEL, ROLE_MEMBER, ROLE_MEMBER_TWICE, ROLE_NOBODY, ROLE_PERSONAL,
};
use crate::manifest::envelope::Envelope;
use crate::manifest::reader::{Fields, Report, list, not_one_of, text};
use crate::manifest::tree::{Kind, Mark, Node};
use crate::model::{Label, Labels, Personal, Role, Sight, TELLING};

/// A role and where its document starts.
pub(super) struct RoleDoc {
    pub(super) role: Role,
    pub(super) at: Mark,
}

/// How fields with `pii: true` are named in a list of labels.
const PII: &str = "pii";

/// Reads a Role. `None` where it has no name or does not say what may be seen.
pub(super) fn read(report: &mut Report<'_>, envelope: &Envelope<'_>) -> Option<RoleDoc> {
    let mut spec = Fields::open(report, envelope.spec?, "`spec`")?;
    let personal_node = spec.required(report, "personalData");
    let members = spec.nested(report, "members");
    let unlabelled = spec.choice(report, "unlabelled", &[("mask", false), ("show", true)]);
    spec.finish(report);

    let personal = personal_node.and_then(|node| read_personal(report, node));
    let (mut users, mut groups) = (BTreeSet::new(), BTreeSet::new());
    if let Some(mut members) = members {
        let user_nodes = members.get("users");
        let group_nodes = members.get("groups");
        members.finish(report);
        users = names(report, user_nodes, "`users`");
        groups = names(report, group_nodes, "`groups`");
    }
    let (name, at) = envelope.name.clone()?;
    let personal = personal?;
    if personal != Personal::Hidden && users.is_empty() && groups.is_empty() {
        report
            .warning(ROLE_NOBODY, at, format!("nobody is a member of the role {name}"))
            .help("add `members: {users: […], groups: […]}`");
    }
    // Whoever may see all personal data may see what has not been judged.
    let unlabelled = unlabelled.unwrap_or(personal == Personal::Shown);
    Some(RoleDoc {
        role: Role {
            name,
            sight: Sight { personal, unlabelled },
            users,
            groups,
            position: report.position(envelope.at),
        },
        at: envelope.at,
    })
}

fn read_personal(report: &mut Report<'_>, node: &Node) -> Option<Personal> {
    match &node.kind {
        Kind::List(_) => Some(read_labels(report, node)),
        Kind::Scalar(scalar) if !scalar.quoted => match scalar.text.expose().as_str() {
            "true" => Some(Personal::Shown),
            "false" => Some(Personal::Hidden),
            _ => wrong(report, node),
        },
        _ => wrong(report, node),
    }
}

fn wrong(report: &mut Report<'_>, node: &Node) -> Option<Personal> {
    let message = format!("`personalData` cannot be {}", node.describe());
    report
        .error(ROLE_PERSONAL, node.at, message)
        .help("write `true`, `false`, or a list such as `[S2, I2]`");
    None
}

fn read_labels(report: &mut Report<'_>, node: &Node) -> Personal {
    let (mut labels, mut pii) = (Labels::default(), false);
    for item in list(report, node, "`personalData`").unwrap_or_default() {
        let Some(found) = text(report, item, "a label") else { continue };
        match Label::parse(found.text) {
            _ if found.text == PII => pii = true,
            Some(label) if TELLING.contains(&label) => labels.insert(label),
            Some(label) => {
                report
                    .warning(
                        ROLE_LABEL,
                        found.at,
                        format!("{label} says nothing of what a field tells"),
                    )
                    .help("list I1, I2, S1, S2 or pii; remove this one");
            }
            None => {
                let words: Vec<&str> =
                    TELLING.into_iter().map(Label::as_str).chain([PII]).collect();
                not_one_of(report, found, "label", &words);
            }
        }
    }
    if labels.is_empty() && !pii { Personal::Hidden } else { Personal::Some { labels, pii } }
}

fn names(report: &mut Report<'_>, node: Option<&Node>, what: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let Some(node) = node else { return names };
    for item in list(report, node, what).unwrap_or_default() {
        let Some(found) = text(report, item, "a name") else { continue };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, ':' | ',');
        if found.text.is_empty() || found.text.len() > 255 || found.text.contains(odd) {
            report
                .error(ROLE_MEMBER, found.at, format!("an item of {what} is no name"))
                .help("write the name as the operating system has it");
        } else if !names.insert(found.text.to_owned()) {
            let message = format!("{} is listed already", report.quote(found.text));
            report.warning(ROLE_MEMBER_TWICE, found.at, message).help("remove one of the two");
        }
    }
    names
}
