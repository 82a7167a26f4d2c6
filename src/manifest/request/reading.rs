//! What goes along with reading one request.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use super::Context;
use crate::diagnostic::Code;
use crate::manifest::codes::request::UNOPENED;
use crate::manifest::reader::{Problem, Report};
use crate::manifest::tree::Mark;
use crate::model::{Catalog, Identity, Namespace, NamespaceName, Reason, Request};

/// The reading of one request.
pub(super) struct Reading<'r, 'f> {
    pub(super) report: &'r mut Report<'f>,
    pub(super) catalog: &'r Catalog,
    pub(super) context: Context<'r>,
    /// The request's name, for which values are sealed.
    pub(super) name: String,
    /// Where sealed values stand that were not opened.
    pub(super) unopened: Vec<Mark>,
    /// The request's name would identify a person.
    pub(super) personal_name: bool,
    /// Namespaces that are known to be carried by no dataset: one warning each is enough.
    pub(super) not_carried: BTreeSet<NamespaceName>,
    /// The identity values of the request, valid or not, as [`personal::plain`] makes them.
    pub(super) values: HashSet<String>,
    /// Those of the block that is being read.
    pub(super) values_of_block: HashSet<String>,
    /// The rules of the namespaces so far: making them anew for each identity costs.
    rules: BTreeMap<NamespaceName, Rc<Namespace>>,
    /// Errors that reject a block only.
    of_blocks: usize,
}

/// Why a block is rejected: the first reason found.
pub(super) type Verdict = Option<Reason>;

impl<'r, 'f> Reading<'r, 'f> {
    pub(super) fn new(report: &'r mut Report<'f>, context: Context<'r>) -> Self {
        Self {
            report,
            catalog: context.catalog,
            context,
            name: String::new(),
            unopened: Vec::new(),
            personal_name: false,
            not_carried: BTreeSet::new(),
            values: HashSet::new(),
            values_of_block: HashSet::new(),
            rules: BTreeMap::new(),
            of_blocks: 0,
        }
    }

    /// The rules of a namespace.
    pub(super) fn rules(&mut self, name: &NamespaceName) -> Rc<Namespace> {
        if let Some(known) = self.rules.get(name) {
            return Rc::clone(known);
        }
        let rules = Rc::new(self.catalog.namespace(name));
        self.rules.insert(name.clone(), Rc::clone(&rules));
        rules
    }

    /// Whether a text is the same as one of the identities, in the canonical form of its namespace.
    pub(super) fn equals_one<'i>(
        &mut self,
        text: &str,
        mut identities: impl Iterator<Item = &'i Identity>,
    ) -> bool {
        identities.any(|identity| {
            self.rules(&identity.namespace).canonical(text) == *identity.canonical.expose()
        })
    }

    /// Reports what rejects a block, but not its file.
    pub(super) fn reject(
        &mut self,
        verdict: &mut Verdict,
        reason: Reason,
        code: Code,
        at: Mark,
        message: impl Into<String>,
    ) -> Problem<'_> {
        verdict.get_or_insert(reason);
        self.of_blocks += 1;
        self.report.error(code, at, message)
    }

    /// Accepts the request, unless an error since `before` (a count of [`Report::errors`]) was one of its
    /// form. Of a rejected request nothing is kept but its name.
    pub(super) fn conclude(mut self, before: usize, request: &mut Request) {
        self.note_unopened();
        let errors = self.report.errors().saturating_sub(before);
        if errors > self.of_blocks {
            request.rejected = Some(Reason::Invalid);
            request.users.clear();
        } else {
            request.rejected = None;
        }
    }

    /// Says how many values stay sealed: of those only the form was checked.
    fn note_unopened(&mut self) {
        let Some(first) = self.unopened.first() else { return };
        let count = self.unopened.len();
        let (is, s) = if count == 1 { ("is", "") } else { ("are", "s") };
        match self.context.opener {
            None => self
                .report
                .note(
                    UNOPENED,
                    *first,
                    format!("{count} value{s} {is} sealed: only the form was checked"),
                )
                .help(
                    "`--identity FILE`, or AMPARO_IDENTITY, names the key that opens sealed values",
                ),
            Some(_) => self
                .report
                .warning(
                    UNOPENED,
                    *first,
                    format!("{count} sealed value{s} {is} not for the key that was given"),
                )
                .help("give the key of a recipient that Settings names, or seal the values again"),
        }
    }
}
