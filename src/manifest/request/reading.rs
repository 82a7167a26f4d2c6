//! What goes along with reading one request.

use std::collections::{BTreeSet, HashSet};

use super::Context;
use crate::diagnostic::Code;
use crate::manifest::reader::{Problem, Report};
use crate::manifest::tree::Mark;
use crate::model::{Catalog, NamespaceName, Reason, Request};

/// The reading of one request.
pub(super) struct Reading<'r, 'f> {
    pub(super) report: &'r mut Report<'f>,
    pub(super) catalog: &'r Catalog,
    pub(super) context: Context<'r>,
    /// The request's name would identify a person.
    pub(super) personal_name: bool,
    /// Namespaces that are known to be carried by no dataset: one warning each is enough.
    pub(super) not_carried: BTreeSet<NamespaceName>,
    /// The identity values of the request, valid or not, as [`personal::plain`] makes them.
    pub(super) values: HashSet<String>,
    /// Those of the block that is being read.
    pub(super) values_of_block: HashSet<String>,
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
            personal_name: false,
            not_carried: BTreeSet::new(),
            values: HashSet::new(),
            values_of_block: HashSet::new(),
            of_blocks: 0,
        }
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
    pub(super) fn conclude(self, before: usize, request: &mut Request) {
        let errors = self.report.errors().saturating_sub(before);
        if errors > self.of_blocks {
            request.rejected = Some(Reason::Invalid);
            request.users.clear();
        } else {
            request.rejected = None;
        }
    }
}
