//! Roles: who may see what of the data. File permissions are the real boundary: a role says what amparo
//! shows, not what the operating system lets somebody read.

use std::collections::BTreeSet;

use super::{Dataset, Field, FieldPath, Label, Labels, Name, Position};

/// What a field tells of a person, as far as roles go: the labels that say what it *is* (RULES.md
/// section 1). ID, ACC and DEL labels say what is done with it.
pub const TELLING: [Label; 4] = [Label::I1, Label::I2, Label::S1, Label::S2];

/// What stands in place of a value that may not be seen. As wide for a long value as for a short one,
/// and for none.
pub const STARS: &str = "*****";

/// Which personal data may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// None.
    Hidden,
    /// Fields of which every telling label, and `pii` where they carry it, is named here.
    Some {
        /// The labels.
        labels: Labels,
        /// Fields with `pii: true` too.
        pii: bool,
    },
    /// All.
    Shown,
}

/// What may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// Personal data.
    pub personal: Personal,
    /// Columns that the dataset's policy does not mention.
    pub unlabelled: bool,
}

impl Sight {
    /// No personal data, and nothing that no policy mentions.
    pub const LEAST: Self = Self { personal: Personal::Hidden, unlabelled: false };

    /// Whether a leaf may be seen; `field` is the entry of the policy that governs it.
    pub fn sees(&self, dataset: &Dataset, path: &FieldPath, field: Option<&Field>) -> bool {
        let Some(field) = field else {
            // The policy does mention the event time, if not among the fields.
            return self.unlabelled || dataset.timestamp.as_ref() == Some(path);
        };
        let telling = || TELLING.into_iter().filter(|label| field.labels.has(*label));
        match self.personal {
            Personal::Shown => true,
            Personal::Hidden => {
                // Every ID and DEL label needs one that tells; policies without one are refused.
                let personal = field.labels.is_id() || field.labels.is_erasable();
                !field.pii && !personal && telling().next().is_none()
            }
            Personal::Some { labels, pii } => {
                (pii || !field.pii) && telling().all(|label| labels.has(label))
            }
        }
    }

    /// How much is seen: the less, the more restricted. Columns that nobody has judged weigh most, then how
    /// many kinds of personal data are seen, then how directly they tell.
    fn extent(&self) -> (bool, bool, u32, u32) {
        let kinds = match self.personal {
            Personal::Hidden => 0,
            Personal::Shown => return (true, self.unlabelled, 0, 0),
            Personal::Some { labels, pii } => TELLING
                .into_iter()
                .map(|label| labels.has(label))
                .chain([pii])
                .fold(0_u32, |bits, seen| bits << 1 | u32::from(seen)),
        };
        (false, self.unlabelled, kinds.count_ones(), kinds)
    }
}

/// A role.
#[derive(Debug, Clone)]
pub struct Role {
    /// `metadata.name`.
    pub name: Name,
    /// What its members may see.
    pub sight: Sight,
    /// Operating-system users who are members.
    pub users: BTreeSet<String>,
    /// Operating-system groups whose users are members.
    pub groups: BTreeSet<String>,
    /// Where the document starts.
    pub position: Position,
}

/// Who runs the process, as the operating system says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The real user's name; the number where it has none.
    pub user: String,
    /// The groups of the process, by name; the number where one has none.
    pub groups: BTreeSet<String>,
}

/// The role that somebody looks under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Its name; `None` where no role fits: no personal data is shown.
    pub role: Option<Name>,
    /// What may be seen.
    pub sight: Sight,
    /// The role asked for was not granted.
    pub refused: bool,
}

impl Role {
    /// Whether somebody is a member.
    pub fn has(&self, person: &Person) -> bool {
        self.users.contains(&person.user) || !self.groups.is_disjoint(&person.groups)
    }
}

/// The most restricted role: the one that shows least, the first by name among equals. `None` where there is
/// no role, or every one shows all personal data: that is nothing to be had without being a member.
pub fn most_restricted(roles: &[Role]) -> Option<&Role> {
    roles
        .iter()
        .filter(|role| role.sight.personal != Personal::Shown)
        .min_by_key(|role| (role.sight.extent(), &role.name))
}

/// Which role somebody gets: the one asked for if they are a member of it, else the most restricted.
/// `None` where the role asked for is not there.
pub fn grant(roles: &[Role], asked: Option<&Name>, person: &Person) -> Option<Granted> {
    let least = most_restricted(roles);
    let wanted = match asked {
        Some(name) => Some(roles.iter().find(|role| role.name == *name)?),
        None => None,
    };
    let open = |role: &&Role| role.has(person) || least.is_some_and(|l| l.name == role.name);
    let given = wanted.filter(open);
    let role = given.or(least);
    Some(Granted {
        role: role.map(|role| role.name.clone()),
        sight: role.map_or(Sight::LEAST, |role| role.sight),
        refused: wanted.is_some() && given.is_none(),
    })
}

#[cfg(test)]
#[path = "role_tests.rs"]
mod tests;
