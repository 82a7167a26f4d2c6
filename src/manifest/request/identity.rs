//! Identities of a block: single and composite ones, their namespaces and values (RULES.md section 2).

use std::collections::HashSet;

use super::block::{MAX_IDENTITIES, hint};
use super::personal;
use super::reading::{Reading, Verdict};
use super::value::{Term, same_as};
use crate::manifest::codes::files::MISSING_KEY;
use crate::manifest::codes::request::{
    COMPOSITE, DIGEST, IDENTITY_TYPE, NAMESPACE_DISAGREES, NAMESPACE_ID, NAMESPACE_NAME,
    QA_HARD_CODED,
};
use crate::manifest::reader::{Fields, Text, list};
use crate::manifest::tree::{Kind, Node};
use crate::model::{NamespaceName, Part, Reason, WELL_KNOWN, well_known_id};

/// What `type` may be; only `namespaceId` changes what is read.
pub(crate) const TYPES: [&str; 7] =
    ["standard", "custom", "integrationCode", "namespaceId", "unregistered", "analytics", "target"];

/// Extras of Adobe's libraries: accepted and ignored.
pub(crate) const EXTRAS: [&str; 4] = ["description", "company", "name", "isDeletedClientSide"];

impl Reading<'_, '_> {
    /// An entry of `userIDs`. `None` where it cannot be used, which has been reported.
    pub(super) fn term(&mut self, node: &Node, verdict: &mut Verdict) -> Option<Term> {
        let mut fields = Fields::open(self.report, node, "an identity")?;
        let Some(parts) = fields.get("allOf") else {
            let identity = self.identity(&mut fields, verdict);
            fields.finish(self.report);
            return identity.map(|part| Term { parts: vec![part], composite: false });
        };
        for key in EXTRAS {
            fields.get(key);
        }
        let beside = ["namespace", "namespaceId", "type", "value", "digest"]
            .map(|key| fields.entry(key).map(|e| e.at));
        fields.finish(self.report);
        if let Some(at) = beside.into_iter().flatten().next() {
            self.reject(verdict, Reason::Invalid, COMPOSITE, at, "a key beside `allOf`")
                .help("move it into a part of the composite identity");
        }
        self.composite(parts, verdict)
    }

    fn composite(&mut self, node: &Node, verdict: &mut Verdict) -> Option<Term> {
        let nodes = list(self.report, node, "`allOf`")?;
        if !(2..=MAX_IDENTITIES).contains(&nodes.len()) {
            self.reject(
                verdict,
                Reason::Invalid,
                COMPOSITE,
                node.at,
                "`allOf` must have 2 to 9 parts",
            )
            .help(
                "write the identities that together mean one person; a single one needs no `allOf`",
            );
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut seen = HashSet::new();
        for node in nodes {
            let Some(mut fields) = Fields::open(self.report, node, "a part of `allOf`") else {
                continue;
            };
            if let Some(entry) = fields.entry("allOf") {
                fields.finish(self.report);
                self.reject(
                    verdict,
                    Reason::Invalid,
                    COMPOSITE,
                    entry.at,
                    "an `allOf` inside an `allOf`",
                )
                .help("write its parts beside the others");
                continue;
            }
            let part = self.identity(&mut fields, verdict);
            fields.finish(self.report);
            let Some(part) = part else { continue };
            if same_as(&part).is_none_or(|same| seen.insert(same)) {
                parts.push(part);
            } else {
                self.reject(
                    verdict,
                    Reason::Invalid,
                    COMPOSITE,
                    node.at,
                    "a part that is there twice",
                )
                .help("remove one of the two");
            }
        }
        (parts.len() >= 2).then_some(Term { parts, composite: true })
    }

    /// `namespace` and `value`, and what goes with them.
    fn identity(&mut self, fields: &mut Fields<'_>, verdict: &mut Verdict) -> Option<Part> {
        let namespace = self.namespace(fields, verdict);
        for key in EXTRAS {
            fields.get(key);
        }
        if let Some(digest) = fields.entry("digest") {
            if let Some(value) = fields.entry("value") {
                self.reject(
                    verdict,
                    Reason::Invalid,
                    DIGEST,
                    value.at,
                    "a value beside a `digest`",
                )
                .help("write one of the two");
                return None;
            }
            return self.digest(namespace?, digest, verdict);
        }
        fields.required(self.report, "value");
        let value = fields.entry("value");
        if let Some(Kind::Scalar(scalar)) = value.map(|entry| &entry.value.kind) {
            self.values_of_block.insert(personal::plain(scalar.text.expose()));
        }
        self.value(namespace?, value?, verdict)
    }

    /// The namespace that name, id and type together mean.
    fn namespace(
        &mut self,
        fields: &mut Fields<'_>,
        verdict: &mut Verdict,
    ) -> Option<NamespaceName> {
        let kind = fields.text(self.report, "type");
        let name_there = fields.entry("namespace").is_some();
        let id_there = fields.entry("namespaceId").is_some();
        let mut name = fields.text(self.report, "namespace");
        let mut id = fields.text(self.report, "namespaceId");
        if let Some(kind) = kind.filter(|kind| !TYPES.contains(&kind.text)) {
            let help = hint(kind.text, &TYPES);
            self.reject(verdict, Reason::Invalid, IDENTITY_TYPE, kind.at, "an unknown `type`")
                .help(help);
            return None;
        }
        if !name_there && !id_there {
            self.report
                .error(MISSING_KEY, fields.at(), "an identity lacks the key `namespace`")
                .help("write the name of the namespace that the value belongs to");
            return None;
        }
        if name_there && name.is_none() || id_there && id.is_none() {
            return None;
        }
        if kind.is_some_and(|kind| kind.text == "namespaceId")
            && let Some(number) = name.take()
        {
            // The namespace's own field holds the id.
            if let Some(second) = id.filter(|second| numeric(*second) != numeric(number)) {
                return self.disagree(second, verdict);
            }
            id = Some(number);
        }
        let name = match name {
            Some(name) => Some(self.named(name, verdict)?),
            None => None,
        };
        match (name, id) {
            (Some(name), Some(id)) if !agree(&name, id) => self.disagree(id, verdict),
            (Some(name), _) => Some(name),
            (None, Some(id)) => self.by_id(id, verdict),
            (None, None) => None,
        }
    }

    /// The namespace of that name.
    fn named(&mut self, found: Text<'_>, verdict: &mut Verdict) -> Option<NamespaceName> {
        let Some(name) = NamespaceName::new(found.text) else {
            self.reject(
                verdict,
                Reason::Invalid,
                NAMESPACE_NAME,
                found.at,
                "`namespace` has characters that it may not have",
            )
            .help("write 1 to 64 letters, digits, `_`, `-` and spaces, without spaces at its ends");
            return None;
        };
        if let Some(hard) = name.without_qa().and_then(|base| base.hard_coded()) {
            self.reject(
                verdict,
                Reason::Invalid,
                QA_HARD_CODED,
                found.at,
                format!("{hard} is hard-coded and has no `qa-` form"),
            )
            .help("rehearse with a namespace of your own, or drop the `qa-`");
            return None;
        }
        Some(name)
    }

    /// The well-known namespace of that id.
    fn by_id(&mut self, found: Text<'_>, verdict: &mut Verdict) -> Option<NamespaceName> {
        let id = numeric(found);
        let known = WELL_KNOWN.into_iter().find(|(known, _)| Some(*known) == id);
        let name = known.and_then(|(_, name)| NamespaceName::new(name));
        if name.is_none() {
            let known: Vec<String> =
                WELL_KNOWN.iter().map(|(id, name)| format!("{id} ({name})")).collect();
            self.reject(
                verdict,
                Reason::Invalid,
                NAMESPACE_ID,
                found.at,
                "an id of no well-known namespace",
            )
            .help(format!(
                "write the namespace's name; the well-known ids are {}",
                known.join(", ")
            ));
        }
        name
    }

    fn disagree(&mut self, id: Text<'_>, verdict: &mut Verdict) -> Option<NamespaceName> {
        self.reject(
            verdict,
            Reason::Invalid,
            NAMESPACE_DISAGREES,
            id.at,
            "the namespace's name and id disagree",
        )
        .help("correct one of the two, or remove the id");
        None
    }
}

/// Whether a name can have that id: a well-known name has its own, another has none of the well-known.
fn agree(name: &NamespaceName, id: Text<'_>) -> bool {
    let Some(id) = numeric(id) else { return false };
    match well_known_id(name) {
        Some(own) => own == id,
        None => !WELL_KNOWN.iter().any(|(known, _)| *known == id),
    }
}

fn numeric(text: Text<'_>) -> Option<u32> {
    Some(text.text).filter(|t| t.bytes().all(|b| b.is_ascii_digit())).and_then(|t| t.parse().ok())
}
