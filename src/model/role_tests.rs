#![allow(clippy::unwrap_used)]

use super::*;

fn role(name: &str, personal: Personal, users: &[&str], groups: &[&str]) -> Role {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Role {
        name: Name::new(name).unwrap(),
        sight: Sight { personal, unlabelled: personal == Personal::Shown },
        users: names(users),
        groups: names(groups),
        position: Position::default(),
    }
}

fn some(labels: &[Label], pii: bool) -> Personal {
    Personal::Some { labels: labels.iter().copied().collect(), pii }
}

fn person(user: &str, groups: &[&str]) -> Person {
    let groups = groups.iter().map(|group| (*group).to_owned()).collect();
    Person { user: user.to_owned(), groups }
}

/// The name of the role that somebody gets, and whether the one asked for was refused.
fn given(roles: &[Role], asked: Option<&str>, person: &Person) -> (Option<String>, bool) {
    let asked = asked.map(|asked| Name::new(asked).unwrap());
    let granted = grant(roles, asked.as_ref(), person).unwrap();
    (granted.role.map(|role| role.as_str().to_owned()), granted.refused)
}

fn four() -> [Role; 4] {
    [
        role("analyst", Personal::Hidden, &[], &["analysts"]),
        role("marketing", some(&[Label::S2], false), &["mia"], &[]),
        role("officer", Personal::Shown, &["olga", "mia"], &["privacy"]),
        role("support", some(&[Label::I1, Label::I2], true), &[], &["support"]),
    ]
}

#[test]
fn members_get_the_role_they_ask_for_and_others_the_most_restricted() {
    let roles = four();
    let mia = person("mia", &["staff"]);
    let outsider = person("eve", &["staff"]);
    let is = |name: &str, refused| (Some(name.to_owned()), refused);
    assert_eq!(given(&roles, Some("officer"), &mia), is("officer", false));
    assert_eq!(given(&roles, Some("marketing"), &mia), is("marketing", false));
    assert_eq!(given(&roles, Some("support"), &mia), is("analyst", true));
    assert_eq!(given(&roles, None, &mia), is("analyst", false));
    assert_eq!(given(&roles, Some("officer"), &person("eve", &["privacy"])), is("officer", false));
    for asked in ["officer", "marketing", "support"] {
        assert_eq!(given(&roles, Some(asked), &outsider), is("analyst", true));
    }
    // What everybody may do is not refused.
    assert_eq!(given(&roles, Some("analyst"), &outsider), is("analyst", false));
    // A user is not a group of the same name.
    assert_eq!(given(&roles, Some("officer"), &person("privacy", &["olga"])), is("analyst", true));
    assert_eq!(given(&roles, Some("officer"), &person("root", &["root"])), is("analyst", true));
}

#[test]
fn without_a_restricted_role_outsiders_see_nothing_personal() {
    let eve = person("eve", &[]);
    assert_eq!(given(&[], None, &eve), (None, false));
    let open = [role("officer", Personal::Shown, &["olga"], &[])];
    assert_eq!(given(&open, Some("officer"), &eve), (None, true));
    assert_eq!(grant(&open, None, &person("olga", &[])).unwrap().sight, Sight::LEAST);
    let name = Name::new("nobody").unwrap();
    assert_eq!(grant(&open, Some(&name), &eve), None);
}

#[test]
fn the_most_restricted_role_shows_least() {
    let least = |roles: &[Role]| most_restricted(roles).unwrap().name.as_str().to_owned();
    assert_eq!(least(&four()), "analyst");
    assert_eq!(least(&four()[1..]), "marketing");
    let direct = role("a", some(&[Label::I1], false), &[], &[]);
    let broad = role("b", some(&[Label::S2], false), &[], &[]);
    assert_eq!(least(&[direct.clone(), broad]), "b");
    // Columns that nobody has judged may hold anything.
    let mut blind = role("c", Personal::Hidden, &[], &[]);
    blind.sight.unlabelled = true;
    assert_eq!(least(&[blind, direct]), "a");
    let twins = [role("z", Personal::Hidden, &[], &[]), role("y", Personal::Hidden, &[], &[])];
    assert_eq!(least(&twins), "y");
}
