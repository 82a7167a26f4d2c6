//! The blocks at the start of a search: scopes, identities, conditions, and what rejects them at once.

use crate::model::{Environment, Identity};

use super::cells::ConditionId;
use super::scope::{Scopes, selectable_leaf};
use super::subject::{Condition, Phase, Subject, terms};
use super::{Search, SearchBlock, typed};

impl<'a> Search<'a> {
    pub(super) fn start(&mut self, blocks: Vec<SearchBlock<'a>>) {
        let mut scopes = Scopes::default();
        let limits = self.lake.catalog.settings.limits.clone();
        for SearchBlock { block, request, user, remembered, grants } in blocks {
            let rejected = request.rejected.is_some() || user.rejected.is_some();
            let searched = !rejected && !user.identities.is_empty();
            let mut subject = Subject {
                block,
                scope: scopes.of(&self.lake, request, user),
                conditions: Default::default(),
                searched,
                expands: request.expand_ids,
                resumed: !remembered.is_empty(),
                accepts_conflicts: user.accept_conflicts || grants.conflicts,
                limits: if grants.limits { limits.lifted() } else { limits.clone() },
                given: Vec::new(),
                alone: Vec::new(),
                composites: Vec::new(),
                phase: if searched { Phase::Links(0) } else { Phase::Done },
                fresh: Vec::new(),
                composites_fresh: false,
                first: Default::default(),
                second: Default::default(),
                conflicts: Default::default(),
                conflicting: Default::default(),
                stop: None,
            };
            if searched {
                let given = terms(&mut self.lake, &mut self.known, &user.identities);
                let remembered: Vec<_> =
                    remembered.into_iter().map(|identity| self.intern(identity)).collect();
                subject.identify(&self.known, &given, &remembered, &self.lake);
                self.condition(&mut subject, user);
                self.judge_values(&mut subject, user.is_qa());
            }
            self.subjects.push(subject);
        }
    }

    fn intern(&mut self, identity: Identity) -> crate::plan::IdentityId {
        let space = self.lake.spaces.intern(self.lake.catalog, &identity.namespace);
        self.known.intern(space, identity)
    }

    fn condition(&mut self, subject: &mut Subject, user: &crate::model::UserBlock) {
        if user.only.r#where.is_empty() {
            return;
        }
        for dataset in &subject.scope.datasets {
            let table = &self.lake.tables[*dataset];
            let cells = &mut self.finds[*dataset].cells;
            let conditions = user.only.r#where.iter().map(|(path, value)| -> Condition {
                let leaf = selectable_leaf(table, path);
                let kind = leaf.and_then(|leaf| table.kind(leaf));
                let id: ConditionId = cells.condition(leaf.zip(kind), value.expose());
                (leaf, id)
            });
            let conditions: Vec<Condition> = conditions.collect();
            subject.conditions.insert(*dataset, conditions);
        }
    }

    /// Stops a block whose values cannot be what they are said to be, or that remembers more than the
    /// limit lets it add.
    fn judge_values(&mut self, subject: &mut Subject, qa: bool) {
        let environment = if qa { Environment::Test } else { Environment::Production };
        let misfit = subject
            .given
            .iter()
            .find_map(|id| typed::misfit(&self.lake, &self.known, environment, *id));
        if let Some((reason, message)) = misfit {
            subject.halt(reason, message);
        } else {
            subject.keeps_within(subject.limits.max_expanded_ids, 0);
        }
        subject.searched = subject.stop.is_none();
    }
}
