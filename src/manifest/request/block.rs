//! User blocks: one data subject each.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::personal;
use super::reading::{Reading, Verdict};
use super::value::{Term, same_as};
use crate::manifest::codes::request::{
    DUPLICATE_IDENTITY, DUPLICATE_USER_KEY, KEY_TOO_LONG, NO_ACTION, NO_IDENTITY, NO_USERS,
    NOT_CARRIED, NOTHING_REACHED, PERSONAL_KEY, QA_MIXED, STANDING_WITHOUT_DELETE,
    TOO_MANY_IDENTITIES, TOO_MANY_USERS, UNKNOWN_ACTION,
};
use crate::manifest::reader::{Fields, Text, alternatives, did_you_mean, list};
use crate::manifest::tree::{Mark, Node};
use crate::model::{
    Action, Dataset, Environment, NamespaceName, Only, Product, Reason, Request, UserBlock,
};

/// The most that Adobe takes; Settings may lower both (RULES.md section 6).
pub(crate) const MAX_USERS: usize = 1000;
/// Identities of a block, and parts of a composite one.
pub(crate) const MAX_IDENTITIES: usize = 9;
/// Characters of a key (CONTRACT.md section 1).
pub(crate) const MAX_KEY: usize = 256;

/// An identity and where it stands.
pub(super) struct Placed {
    pub(super) term: Term,
    pub(super) at: Mark,
}

impl Reading<'_, '_> {
    /// Reads `users` into the request.
    pub(super) fn users(&mut self, node: &Node, request: &mut Request) {
        let Some(nodes) = list(self.report, node, "`users`") else { return };
        let limit = self.catalog.settings.limits.users_per_request.min(MAX_USERS);
        if nodes.is_empty() {
            self.report
                .error(NO_USERS, node.at, "`users` is empty")
                .help("write a block for each data subject");
        }
        if nodes.len() > limit {
            let message = format!("{} user blocks, where at most {limit} are allowed", nodes.len());
            self.report
                .error(TOO_MANY_USERS, node.at, message)
                .help("split the request into several files");
        }
        let mut keys: HashMap<&str, Mark> = HashMap::new();
        let mut unfit: Vec<usize> = Vec::new();
        for node in nodes.iter().take(limit) {
            let Some(fields) = Fields::open(self.report, node, "a user block") else { continue };
            let Some((key, fit, user)) = self.block(fields, request.include.as_ref()) else {
                continue;
            };
            if let Some(first) = keys.get(key.text) {
                self.report
                    .error(DUPLICATE_USER_KEY, key.at, "the key of another user block")
                    .help(format!(
                        "write another key; the first is on line {}, column {}",
                        first.line, first.column
                    ));
            } else {
                keys.insert(key.text, key.at);
            }
            if !fit {
                unfit.push(request.users.len());
            }
            request.users.push(user);
        }
        for index in unfit {
            // The number of the block in its file stands for a key that may not be shown.
            let mut stand_in = format!("#{}", index + 1);
            while keys.contains_key(stand_in.as_str()) {
                stand_in.push('#');
            }
            if let Some(user) = request.users.get_mut(index) {
                user.key = stand_in;
            }
        }
    }

    /// One block: its key as written, whether that may be shown, and the block. `None` without a key.
    fn block<'n>(
        &mut self,
        mut fields: Fields<'n>,
        include: Option<&BTreeSet<Product>>,
    ) -> Option<(Text<'n>, bool, UserBlock)> {
        let at = fields.at();
        let mut verdict = None;
        self.values_of_block.clear();
        let key = fields.required_text(self.report, "key");
        let actions = self.actions(&mut fields, &mut verdict);
        let placed = self.identities(&mut fields, &mut verdict);
        let qa = self.is_qa(&placed, &mut verdict);
        let only = fields.get("only").map(|node| self.only(node, &mut verdict, include, qa));
        let standing = fields.entry("standing").map(|entry| entry.at);
        let is_standing = fields.flag(self.report, "standing").unwrap_or_default();
        let accept_conflicts = fields.flag(self.report, "acceptConflicts").unwrap_or_default();
        fields.finish(self.report);

        if let Some(at) = standing.filter(|_| is_standing && !actions.contains(&Action::Delete)) {
            self.report
                .warning(
                    STANDING_WITHOUT_DELETE,
                    at,
                    "`standing` means nothing without the action `delete`",
                )
                .help("add the action, or remove the flag");
        }
        self.values.extend(self.values_of_block.iter().cloned());
        let only = only.unwrap_or_default();
        self.warn_of_no_match(&placed, at, include, &only, qa, verdict);
        let key = key?;
        let fit = self.fits(key, &placed, &mut verdict);
        let (mut identities, mut veiled) = (Vec::new(), Vec::new());
        for placed in placed {
            placed.term.file(&mut identities, &mut veiled);
        }
        let user = UserBlock {
            key: key.text.to_owned(),
            actions,
            identities,
            veiled,
            only,
            standing: is_standing,
            accept_conflicts,
            rejected: verdict,
            position: self.report.position(at),
        };
        Some((key, fit, user))
    }

    /// Whether a key can stand in statuses: it is not too long, and identifies nobody.
    fn fits(&mut self, key: Text<'_>, placed: &[Placed], verdict: &mut Verdict) -> bool {
        if key.text.chars().count() > MAX_KEY {
            self.reject(
                verdict,
                Reason::Invalid,
                KEY_TOO_LONG,
                key.at,
                "`key` has more than 256 characters",
            )
            .help("write a shorter reference");
            return false;
        }
        let parts = placed.iter().flat_map(|placed| placed.term.known());
        let what = if personal::looks_like_email(key.text) {
            "`key` looks like an e-mail address"
        } else if self.values_of_block.contains(&personal::plain(key.text))
            || self.equals_one(key.text, parts)
        {
            "`key` equals an identity value of its block"
        } else {
            return true;
        };
        self.reject(verdict, Reason::Invalid, PERSONAL_KEY, key.at, what)
            .help("write a reference that identifies nobody, such as a case number");
        false
    }

    fn actions(&mut self, fields: &mut Fields<'_>, verdict: &mut Verdict) -> BTreeSet<Action> {
        let mut actions = BTreeSet::new();
        let Some(node) = fields.required(self.report, "action") else { return actions };
        let Some(named) = fields.texts(self.report, "action") else { return actions };
        let known = [Action::Access, Action::Delete];
        let words = known.map(Action::as_str);
        if named.is_empty() {
            self.reject(verdict, Reason::Invalid, NO_ACTION, node.at, "`action` is empty")
                .help(format!("write {} or both", words.join(", ")));
        }
        for found in named {
            let Some(action) = known.into_iter().find(|action| action.as_str() == found.text)
            else {
                let help = hint(found.text, &words);
                self.reject(
                    verdict,
                    Reason::UnknownAction,
                    UNKNOWN_ACTION,
                    found.at,
                    "an unknown action",
                )
                .help(help);
                continue;
            };
            if !actions.insert(action) {
                self.report.note(DUPLICATE_IDENTITY, found.at, "the action is listed before");
            }
        }
        actions
    }

    /// The identities of a block, each once.
    fn identities(&mut self, fields: &mut Fields<'_>, verdict: &mut Verdict) -> Vec<Placed> {
        let mut placed: Vec<Placed> = Vec::new();
        let Some(node) = fields.required(self.report, "userIDs") else { return placed };
        let Some(nodes) = list(self.report, node, "`userIDs`") else { return placed };
        let limit = self.catalog.settings.limits.ids_per_user.min(MAX_IDENTITIES);
        if nodes.is_empty() {
            self.reject(verdict, Reason::Invalid, NO_IDENTITY, node.at, "`userIDs` is empty")
                .help("write at least one identity with `namespace` and `value`");
        }
        if nodes.len() > limit {
            let message = format!("{} identities, where at most {limit} are allowed", nodes.len());
            self.reject(verdict, Reason::Invalid, TOO_MANY_IDENTITIES, node.at, message)
                .help("split the block in two, each with a key of its own");
        }
        let mut seen = HashSet::new();
        for node in nodes {
            let Some(term) = self.term(node, verdict) else { continue };
            let same: Option<BTreeSet<_>> = term.parts.iter().map(same_as).collect();
            if same.is_none_or(|same| seen.insert(same)) {
                placed.push(Placed { term, at: node.at });
            } else {
                self.report.note(DUPLICATE_IDENTITY, node.at, "the identity is listed before");
            }
        }
        placed
    }

    /// Whether the block uses `qa-` namespaces; it may not mix them with others.
    fn is_qa(&mut self, placed: &[Placed], verdict: &mut Verdict) -> bool {
        let all_of = |placed: &Placed, qa: bool| {
            placed.term.parts.iter().all(|part| part.namespace().is_qa() == qa)
        };
        let first = placed.first().and_then(|placed| placed.term.parts.first());
        let qa = first.is_some_and(|part| part.namespace().is_qa());
        if let Some(other) = placed.iter().find(|placed| !all_of(placed, qa)) {
            self.reject(
                verdict,
                Reason::Invalid,
                QA_MIXED,
                other.at,
                "`qa-` and other namespaces in one block",
            )
            .help("write a block of its own for the rehearsal");
        }
        qa
    }

    /// Warns where the block, or one of its namespaces, reaches nothing.
    fn warn_of_no_match(
        &mut self,
        placed: &[Placed],
        at: Mark,
        include: Option<&BTreeSet<Product>>,
        only: &Only,
        qa: bool,
        verdict: Verdict,
    ) {
        if verdict.is_some() || placed.is_empty() {
            return;
        }
        let catalog = self.catalog;
        let reached: Vec<&Dataset> = catalog
            .datasets
            .iter()
            .filter(|dataset| reaches(dataset, include, Some(only), qa))
            .collect();
        if include.is_some_and(|products| nothing_included(catalog, products)) {
            return;
        }
        if reached.is_empty() && (include.is_some() || !only.is_empty()) {
            self.report
                .warning(NOTHING_REACHED, at, "the block reaches no dataset")
                .help("widen `only` and `include`, or compare them with the policies");
            return;
        }
        let carries = |name: &NamespaceName| {
            reached.iter().any(|d| d.fields.iter().any(|f| f.namespace.as_ref() == Some(name)))
        };
        for placed in placed {
            for part in &placed.term.parts {
                if !carries(part.namespace()) && self.not_carried.insert(part.namespace().clone()) {
                    self.report
                        .warning(
                            NOT_CARRIED,
                            placed.at,
                            "no dataset that the block reaches carries this namespace",
                        )
                        .help("compare its spelling with the policies");
                }
            }
        }
    }
}

fn nothing_included(catalog: &crate::model::Catalog, include: &BTreeSet<Product>) -> bool {
    !catalog.datasets.iter().any(|dataset| include.contains(&dataset.product))
}

/// Whether a block reaches a dataset: its environment, the products of the request, and the block's own
/// narrowing.
pub(super) fn reaches(
    dataset: &Dataset,
    include: Option<&BTreeSet<Product>>,
    only: Option<&Only>,
    qa: bool,
) -> bool {
    (dataset.environment == Environment::Test) == qa
        && include.is_none_or(|products| products.contains(&dataset.product))
        && only.is_none_or(|only| {
            only.datasets.as_ref().is_none_or(|names| names.contains(&dataset.name))
                && only.sources.as_ref().is_none_or(|sources| sources.contains(&dataset.source))
        })
}

/// What a word may be, and which of them was probably meant.
pub(super) fn hint(word: &str, words: &[&str]) -> String {
    let all = alternatives(words);
    match did_you_mean(word, words) {
        Some(near) => format!("did you mean `{near}`? It takes {all}"),
        None => format!("it takes {all}"),
    }
}
