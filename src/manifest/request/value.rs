//! Values of identities: plain, sealed, or given by a keyed digest (RULES.md section 2).

use super::personal;
use super::reading::{Reading, Verdict};
use super::spots::{Given, Spot};
use crate::diagnostic::shell_word;
use crate::manifest::codes::request::{
    DIGEST, EMPTY_VALUE, PLACEHOLDER, PLAIN_IDENTITY, SEALED_DAMAGED, SEALED_FORM, SEALED_MOVED,
    SEALED_RECIPIENTS, VALUE_FORMAT,
};
use crate::manifest::reader::wrong_type;
use crate::manifest::sealed::{Refused, Sealed, is_sealed, read_digest};
use crate::manifest::tree::{Entry, Kind, Mark};
use crate::model::{
    Identity, IdentityTerm, NamespaceName, Part, Reason, Sensitive, Veil, VeiledTerm,
};

/// An entry of `userIDs`: a composite identity has several parts.
pub(super) struct Term {
    pub(super) parts: Vec<Part>,
    pub(super) composite: bool,
}

impl Term {
    /// The identities whose values are known.
    pub(super) fn known(&self) -> impl Iterator<Item = &Identity> {
        self.parts.iter().filter_map(Part::known)
    }

    /// Sorts it to the terms whose values are all known, or to the others.
    pub(super) fn file(self, known: &mut Vec<IdentityTerm>, veiled: &mut Vec<VeiledTerm>) {
        let all: Option<Vec<Identity>> =
            self.parts.iter().map(|part| part.known().cloned()).collect();
        match all {
            None => veiled.push(VeiledTerm(self.parts)),
            Some(all) if self.composite => known.push(IdentityTerm::AllOf(all)),
            Some(all) => known.extend(all.into_iter().map(IdentityTerm::One)),
        }
    }
}

/// What two parts that mean the same have in common; `None` where that cannot be told.
pub(super) fn same_as(part: &Part) -> Option<(String, String)> {
    let same = match part {
        Part::Known(identity) => identity.canonical.expose().clone(),
        Part::Veiled { veil, .. } => format!("digest {}", veil.digest()?),
    };
    Some((part.namespace().folded().to_owned(), same))
}

impl Reading<'_, '_> {
    /// A value, plain or sealed. `None` where it cannot be used, which has been reported.
    pub(super) fn value(
        &mut self,
        name: NamespaceName,
        entry: &Entry,
        verdict: &mut Verdict,
    ) -> Option<Part> {
        let node = &entry.value;
        let given = match &node.kind {
            Kind::Scalar(scalar) => scalar.text.expose().as_str(),
            Kind::Null => "",
            Kind::List(_) | Kind::Map(_) => {
                wrong_type(self.report, node, "`value`", "text");
                return None;
            }
        };
        if is_sealed(given) {
            return self.sealed(name, entry, given, verdict);
        }
        let identity = self.plain(name, node.at, given, verdict)?;
        let value = Given::Plain(identity.clone());
        let tolerated = self.spot(&identity.namespace, entry, value);
        if self.catalog.settings.sealing.required && !tolerated {
            let help = format!(
                "`amparo seal --in-place {}` seals every identity of the file",
                shell_word(self.report.file())
            );
            self.reject(verdict, Reason::Invalid, PLAIN_IDENTITY, node.at, "a plain identity")
                .help(help);
        }
        Some(Part::Known(identity))
    }

    /// Notes where a value stands, for whoever is to replace it; whether there is such a one.
    fn spot(&self, namespace: &NamespaceName, entry: &Entry, given: Given) -> bool {
        let Some(spots) = self.context.spots else { return false };
        spots.borrow_mut().push(Spot {
            request: self.name.clone(),
            namespace: namespace.clone(),
            key: entry.at,
            value: entry.value.at,
            given,
        });
        true
    }

    /// A sealed value: opened where a key does, else veiled.
    fn sealed(
        &mut self,
        name: NamespaceName,
        entry: &Entry,
        text: &str,
        verdict: &mut Verdict,
    ) -> Option<Part> {
        let at = entry.value.at;
        let sealed = match Sealed::read(text) {
            Ok(sealed) => sealed,
            Err(what) => {
                let message = format!("a sealed value that is none: {what}");
                self.reject(verdict, Reason::Invalid, SEALED_FORM, at, message)
                    .help("paste what `amparo seal` printed, on one line and whole");
                return None;
            }
        };
        self.compare_recipients(&sealed, at);
        let opened = match self.context.opener {
            None => Err(Refused::NotOurs),
            Some(opener) => sealed.open(opener, &name, &self.name),
        };
        let refusal = match opened {
            Ok(value) => {
                let value = value.expose();
                self.values_of_block.insert(personal::plain(value));
                let identity = self.plain(name, at, value, verdict)?;
                self.spot(&identity.namespace, entry, Given::Sealed(Some(identity.clone())));
                return Some(Part::Known(identity));
            }
            Err(Refused::NotOurs) => {
                self.unopened.push(at);
                self.spot(&name, entry, Given::Sealed(None));
                return Some(Part::Veiled { namespace: name, veil: Veil::Sealed });
            }
            Err(Refused::Damaged) => (SEALED_DAMAGED, "a sealed value that has been changed"),
            Err(Refused::Namespace) => {
                (SEALED_MOVED, "a value that was sealed for another namespace")
            }
            Err(Refused::Request) => (SEALED_MOVED, "a value that was sealed for another request"),
        };
        let (code, message) = refusal;
        self.reject(verdict, Reason::Invalid, code, at, message).help(
            "seal the value again, for this request: `amparo seal NAMESPACE=- --request NAME`",
        );
        None
    }

    /// Warns where a value is sealed to more or fewer recipients than Settings names.
    fn compare_recipients(&mut self, sealed: &Sealed, at: Mark) {
        let named = self.catalog.settings.sealing.recipients.len();
        let of_value = sealed.recipients();
        if named > 0 && of_value != named {
            let message = format!(
                "a value sealed to {of_value} recipient{}, where Settings names {named}",
                if of_value == 1 { "" } else { "s" }
            );
            self.report.warning(SEALED_RECIPIENTS, at, message).help(
                "seal it again, so that those whom Settings names can open it, and no others",
            );
        }
    }

    /// `digest`, in place of a value.
    pub(super) fn digest(
        &mut self,
        name: NamespaceName,
        entry: &Entry,
        verdict: &mut Verdict,
    ) -> Option<Part> {
        let node = &entry.value;
        let text = crate::manifest::reader::text(self.report, node, "`digest`")?;
        let Some(hex) = read_digest(text.text) else {
            self.reject(verdict, Reason::Invalid, DIGEST, node.at, "`digest` is no keyed digest")
                .help("write hmac-sha256: and 64 lower-case hex digits, as `amparo retire` does");
            return None;
        };
        let veil = Veil::Digest(hex.to_owned());
        self.spot(&name, entry, Given::Digest);
        Some(Part::Veiled { namespace: name, veil })
    }

    /// A value as it is compared, if it can be one of its namespace.
    fn plain(
        &mut self,
        name: NamespaceName,
        at: Mark,
        given: &str,
        verdict: &mut Verdict,
    ) -> Option<Identity> {
        if given.is_empty() {
            self.reject(verdict, Reason::ValueFormat, EMPTY_VALUE, at, "`value` is empty")
                .help("write the value; text that reads as nothing, such as null, needs quotes");
            return None;
        }
        let namespace = self.rules(&name);
        let normalized = namespace.normalized(given);
        let canonical = namespace.canonical(given);
        let prefixes = self.catalog.settings.erased_prefixes();
        if [given, &normalized, &canonical].iter().any(|v| namespace.is_placeholder(v, &prefixes)) {
            self.reject(
                verdict,
                Reason::ValueFormat,
                PLACEHOLDER,
                at,
                "`value` stands for nobody",
            )
            .help(
                "write the value of one person; this one is a placeholder that many rows may hold",
            );
            return None;
        }
        if namespace.format.as_ref().is_some_and(|format| !format.is_match(&normalized)) {
            let message = "`value` is not formatted as its namespace demands";
            let help = match name.hard_coded() {
                Some("AAID") => {
                    "write two upper-case hex numbers without leading zeros, joined by `-`"
                }
                Some("ECID") => "write exactly 38 decimal digits, in quotes",
                Some("visitorId") => {
                    "write two 16-digit hex or 19-digit decimal numbers, joined by `-`, `_` or `:`"
                }
                _ => "compare it with the `format` of the namespace in the policies",
            };
            self.reject(verdict, Reason::ValueFormat, VALUE_FORMAT, at, message).help(help);
            return None;
        }
        Some(Identity {
            namespace: name,
            given: Sensitive::new(given.to_owned()),
            canonical: Sensitive::new(canonical),
        })
    }
}
