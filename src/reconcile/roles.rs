//! Who looks, under which role, and its record: the same for `view` and `publish`.
//!
//! Guarantees: the record is durable before anything is shown or put in place; where it cannot be written,
//! nothing is. It holds keyed digests of identities, never a value.

use crate::model::{Catalog, Granted, Name, Person, grant};
use crate::store::{Looker, Record, person};

use super::gather::open_state;
use super::{Event, Events, PassError, Workspace};

/// Characters that `--actor` may have.
const ACTOR: usize = 128;

/// Somebody who looks.
#[derive(Debug)]
pub(super) struct Viewer {
    person: Person,
    actor: String,
    pub(super) granted: Granted,
}

impl Viewer {
    /// Finds out who it is, and what they may see. A role that is not granted is told.
    pub(super) fn new(
        catalog: &Catalog,
        role: Option<&str>,
        actor: Option<&str>,
        events: &mut dyn Events,
    ) -> Result<Self, PassError> {
        let person = person();
        let actor = actor.unwrap_or(&person.user).trim().to_owned();
        if actor.is_empty() || actor.chars().count() > ACTOR || actor.contains(char::is_control) {
            return Err(PassError::Argument {
                what: format!("--actor has 1 to {ACTOR} printable characters"),
                hint: "say who looks, such as --actor 'J. Doe, ticket 4711'".to_owned(),
            });
        }
        let unknown = || PassError::Argument {
            what: "there is no such role".to_owned(),
            hint: match catalog.roles.as_slice() {
                [] => "the policies have no document of kind Role".to_owned(),
                roles => {
                    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
                    format!("the roles are: {}", names.join(", "))
                }
            },
        };
        let asked = role.map(|role| Name::new(role).map_err(|_| unknown())).transpose()?;
        let granted = grant(&catalog.roles, asked.as_ref(), &person).ok_or_else(unknown)?;
        if let Some(asked) = asked.filter(|_| granted.refused) {
            let text = format!(
                "note: {} is no member of the role {asked}: {} counts",
                person.user,
                named(granted.role.as_ref())
            );
            events.event(Event::Notice { text });
        }
        Ok(Self { person, actor, granted })
    }

    /// How the ledger names them.
    pub(super) fn looker(&self) -> Looker {
        Looker {
            actor: self.actor.clone(),
            user: self.person.user.clone(),
            role: self.granted.role.clone(),
        }
    }
}

/// A role in words.
fn named(role: Option<&Name>) -> String {
    role.map_or("the most restricted view".to_owned(), |role| {
        format!("the most restricted role, {role},")
    })
}

/// Writes the record of a look. Nothing may be shown before this has returned.
pub(super) fn record(
    workspace: &Workspace,
    catalog: &Catalog,
    events: &mut dyn Events,
    make: impl FnOnce(&crate::store::DeploymentKey) -> Record,
) -> Result<(), PassError> {
    let mut open = open_state(workspace, catalog, events)?;
    let key = open.state().deployment_key().ok_or_else(|| {
        PassError::Bug("a state that is open for writing has no deployment key".to_owned())
    })?;
    let record = make(key);
    open.append(vec![record], workspace.clock.now())?;
    Ok(())
}
