//! 10xx: roles.

codes! {
    ROLE_LABEL = "AMP1001", "a label that opens nothing",
        "`personalData` lists what a role may see by the labels that say what a field tells: `I1`, `I2`, `S1`, `S2`, and \
         the word `pii` for fields with `pii: true`. ID, ACC and DEL labels say what is done with a field: listed here \
         they have no effect.";
    ROLE_PERSONAL = "AMP1002", "a role that does not say what it may see",
        "`personalData` is `false` (no personal data), `true` (all of it), or a list of labels whose fields may be seen, \
         such as `[S2, I2]`. A field is seen only if every such label that it carries is in the list.";
    ROLE_MEMBER = "AMP1003", "not a name of a user or group",
        "`members` lists users and groups of the operating system by their names: 1 to 255 characters without spaces, \
         `:` or `,`. Whoever has no name is written by number.";
    ROLE_MEMBER_TWICE = "AMP1004", "a member that is listed twice",
        "The user or group stands in the list already. Listing it again changes nothing, and usually another one was meant.";
    ROLE_NOBODY = "AMP1005", "a role that nobody has",
        "The role shows personal data and has no members, so `--role` never grants it. Name users or groups under \
         `members`, or remove the role.";
    ROLES_ALL_OPEN = "AMP1006", "no role hides anything",
        "Whoever is a member of no role gets the most restricted one, and every role here shows all personal data. So \
         outsiders get none of them: all personal data and every unmentioned column is hidden from them. Say so by a role \
         with `personalData: false`.";
}
