//! The keys of a request itself.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};

use super::personal;
use super::reading::Reading;
use crate::manifest::codes::files::{EMPTY, MALFORMED};
use crate::manifest::codes::request::{
    IGNORED_KEY, NO_INCLUDE, NO_REGULATION, NOTHING_INCLUDED, OTHER_ORGANISATION, PERSONAL_NAME,
    RECEIVED_IN_FUTURE, UNKNOWN_PRODUCT, UNKNOWN_REGULATION,
};
use crate::manifest::reader::{Fields, date, did_you_mean, list};
use crate::manifest::tree::{Mark, Node};
use crate::model::{DeleteMethod, Extension, IdentityTerm, Product, Regulation, Request};

impl<'r> Reading<'r, '_> {
    /// Reads all of a request into `request`. `names` are the spellings of its name, which stands at `at`.
    pub(super) fn request(
        &mut self,
        mut fields: Fields<'_>,
        names: &[&str],
        at: Mark,
        request: &mut Request,
    ) {
        self.name = names.last().copied().unwrap_or_default().to_owned();
        self.company_contexts(&mut fields);
        request.regulation = self.regulation(&mut fields);
        request.received_at = fields.get("receivedAt").and_then(|node| self.received_at(node));
        request.extension = fields
            .get("extension")
            .and_then(|node| Fields::open(self.report, node, "`extension`"))
            .and_then(|fields| self.extension(fields));
        request.expand_ids = fields
            .get_either("expandIds", "expandIDs")
            .and_then(|node| crate::manifest::reader::flag(self.report, node, "`expandIds`"))
            .unwrap_or_default();
        request.delete_method = self.delete_method(&mut fields);
        request.include = self.include(&mut fields);
        request.suspend = fields.flag(self.report, "suspend").unwrap_or_default();
        request.withdrawn = fields.flag(self.report, "withdrawn").unwrap_or_default();
        for key in ["priority", "mergePolicyId"] {
            if let Some(entry) = fields.entry(key) {
                let message = format!("`{key}` is ignored: it means nothing here");
                self.report.note(IGNORED_KEY, entry.at, message);
            }
        }
        if let Some(users) = fields.required(self.report, "users") {
            self.users(users, request);
        }
        self.check_name(names, at, request);
        fields.finish(self.report);
    }

    fn regulation(&mut self, fields: &mut Fields<'_>) -> Option<Regulation> {
        if fields.entry("regulation").is_none() {
            self.report
                .warning(
                    NO_REGULATION,
                    fields.at(),
                    "no `regulation`: the request is due after 30 days",
                )
                .help("write a code, such as `regulation: gdpr`");
            return None;
        }
        let found = fields.text(self.report, "regulation")?;
        let regulation = Regulation::new(found.text);
        let settings = &self.catalog.settings;
        if !regulation.is_known() && !settings.deadlines.contains_key(&regulation) {
            let known: Vec<&str> = Regulation::known().collect();
            let help = match did_you_mean(found.text, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "write a known code, such as `gdpr` or `ccpa`, or set its deadline in Settings"
                        .to_owned()
                }
            };
            self.report
                .warning(
                    UNKNOWN_REGULATION,
                    found.at,
                    "`regulation` is no known code: the request is due after 30 days",
                )
                .help(help);
        }
        Some(regulation)
    }

    fn received_at(&mut self, node: &Node) -> Option<Timestamp> {
        let found = crate::manifest::reader::text(self.report, node, "`receivedAt`")?;
        let Some(received) = instant(found.text) else {
            self.report
                .error(MALFORMED, found.at, "`receivedAt` is neither a date nor a timestamp")
                .help("write a date such as 2026-11-20, or a time such as 2026-11-20T09:30:00Z");
            return None;
        };
        if self.context.now.is_some_and(|now| received > now) {
            self.report
                .warning(RECEIVED_IN_FUTURE, found.at, "`receivedAt` lies in the future")
                .help("check the date: the due date counts from it");
        }
        Some(received)
    }

    fn extension(&mut self, mut fields: Fields<'_>) -> Option<Extension> {
        let until = fields.required(self.report, "until");
        let until = until.and_then(|node| date(self.report, node, "`until`"));
        let reason = fields.required_text(self.report, "reason");
        fields.finish(self.report);
        let reason = reason?;
        if reason.text.trim().is_empty() {
            self.report
                .error(EMPTY, reason.at, "`reason` is empty")
                .help("say why the request takes longer");
            return None;
        }
        Some(Extension { until: until?, reason: reason.text.to_owned() })
    }

    /// `deleteMethod`, and Adobe's name for it.
    fn delete_method(&mut self, fields: &mut Fields<'_>) -> DeleteMethod {
        let words = [("anonymize", DeleteMethod::Anonymize), ("purge", DeleteMethod::Purge)];
        fields.get_either("deleteMethod", "analyticsDeleteMethod");
        let ours = fields.choice(self.report, "deleteMethod", &words);
        let adobes = fields.choice(self.report, "analyticsDeleteMethod", &words);
        ours.or(adobes).unwrap_or_default()
    }

    /// The products; those that no dataset has stay in the set, so that it never empties into "all".
    fn include(&mut self, fields: &mut Fields<'_>) -> Option<BTreeSet<Product>> {
        let Some(entry) = fields.entry("include") else {
            self.report
                .warning(NO_INCLUDE, fields.at(), "no `include`: the request reaches every product")
                .help("write the products that it is about, such as `include: [analytics]`");
            return None;
        };
        let named = fields.texts(self.report, "include")?;
        if named.is_empty() {
            let help =
                "write the products that the request is about, or remove the key to reach all";
            self.report.error(EMPTY, entry.value.at, "`include` is empty").help(help);
            return None;
        }
        let mut products = BTreeSet::new();
        let mut any = false;
        for found in named {
            let product = Product::new(found.text).ok();
            let known = product.as_ref().is_some_and(|product| {
                self.catalog.datasets.iter().any(|dataset| dataset.product == *product)
            });
            if !known {
                let message = "a product that no dataset has is ignored";
                self.report.note(UNKNOWN_PRODUCT, found.at, message);
            }
            any |= known;
            products.extend(product);
        }
        if !any {
            self.report
                .warning(NOTHING_INCLUDED, entry.at, "`include` names no product of any dataset")
                .help("compare it with the `product` of the datasets");
        }
        Some(products)
    }

    /// Rejects a request for another organisation than those in Settings.
    fn company_contexts(&mut self, fields: &mut Fields<'_>) {
        let Some(entry) = fields.entry("companyContexts") else { return };
        let Some(nodes) = list(self.report, &entry.value, "`companyContexts`") else { return };
        let own = &self.catalog.settings.company_contexts;
        let (mut ours, mut other) = (false, None);
        for node in nodes {
            let Some(mut context) = Fields::open(self.report, node, "a company context") else {
                continue;
            };
            let namespace = context.required_text(self.report, "namespace");
            let value = context.required_text(self.report, "value");
            context.finish(self.report);
            let (Some(namespace), Some(value)) = (namespace, value) else { continue };
            let mut same_kind = own
                .iter()
                .filter(|context| context.namespace.folded() == namespace.text.to_lowercase())
                .peekable();
            if same_kind.peek().is_none() {
                continue;
            }
            if same_kind.any(|context| context.value == value.text) {
                ours = true;
            } else {
                other.get_or_insert(value.at);
            }
        }
        let addressed = !own.is_empty() && !nodes.is_empty();
        if let Some(at) = other.or_else(|| (addressed && !ours).then_some(entry.at)) {
            self.report
                .error(OTHER_ORGANISATION, at, "the request is addressed to another organisation")
                .help(
                    "send it to that organisation, or name it under `companyContexts` in Settings",
                );
        }
    }

    /// Refuses a request name that identifies a person.
    fn check_name(&mut self, names: &[&str], at: Mark, request: &Request) {
        let identities =
            || request.users.iter().flat_map(|user| &user.identities).flat_map(IdentityTerm::parts);
        let what = if names.iter().any(|name| personal::looks_like_email(name)) {
            "looks like an e-mail address"
        } else if names.iter().any(|name| {
            self.values.contains(&personal::plain(name)) || self.equals_one(name, identities())
        }) {
            "equals an identity value of the request"
        } else {
            return;
        };
        self.personal_name = true;
        self.report.error(PERSONAL_NAME, at, format!("the request's name {what}")).help(
            "name the request (an Adobe request by its file name) after a case, not a person",
        );
    }
}

/// A date (its midnight in UTC), or an RFC 3339 timestamp; one without an offset is UTC, one with the name of
/// a zone is neither.
fn instant(text: &str) -> Option<Timestamp> {
    if text.contains('[') {
        return None;
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(instant);
    }
    let civil = match text.len() {
        10 => text.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
        _ => text.parse::<DateTime>().ok().filter(|_| text.len() > 10)?,
    };
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
