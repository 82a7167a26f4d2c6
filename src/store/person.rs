//! Who runs the process. The kernel says so, and the system's databases give the names; environment variables
//! are anybody's to set, and are not read.

use rustix::process::{Gid, getgid, getgroups, getuid};
use uzers::{get_group_by_gid, get_user_by_uid};

use crate::model::Person;

/// The process's real user and its groups. Whoever has no name goes by number. What cannot be found out makes
/// nobody a member of more.
pub fn person() -> Person {
    let uid = getuid();
    let text = |name: &std::ffi::OsStr| name.to_str().map(str::to_owned);
    let user = get_user_by_uid(uid.as_raw()).and_then(|user| text(user.name()));
    let others = getgroups().unwrap_or_default();
    let name = |gid: Gid| {
        let group = get_group_by_gid(gid.as_raw());
        group.and_then(|group| text(group.name())).unwrap_or_else(|| gid.as_raw().to_string())
    };
    let groups = std::iter::once(getgid()).chain(others).map(name).collect();
    Person { user: user.unwrap_or_else(|| uid.as_raw().to_string()), groups }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::Command;

    use super::*;

    #[test]
    fn the_system_agrees() {
        let id = |flags: &str| {
            let output = Command::new("id").args(flags.split(' ')).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let person = person();
        assert_eq!(person.user, id("-r -u -n"));
        assert!(person.groups.contains(&id("-r -g -n")));
        assert!(id("-G -n").split(' ').all(|group| person.groups.contains(group)));
    }
}
