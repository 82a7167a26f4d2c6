//! 01xx: datasets, fields and labels (RULES.md section 1).

codes! {
    LOCATION = "AMP0101", "a location that cannot be read",
        "`location` is a file, a directory, a glob or a `file://` URL. Object stores (`s3://`, `gs://`, `az://`) are \
         announced and do not work yet, so they are refused rather than skipped.";
    FORMAT = "AMP0102", "a table format that is not supported yet",
        "Only plain Parquet is read and rewritten today. Delta and Iceberg tables keep old versions of their files \
         and a log of them, which must be erased with the data; until that works they are refused.";
    PRODUCT = "AMP0103", "not a product name",
        "`product` becomes a directory in access packages: 1 to 64 letters, digits, spaces, `.`, `_` or `-`, not \
         starting with a dot. Products compare without case.";
    PATH = "AMP0104", "not a field path",
        "A path names a column by its logical path with dots, such as `props.device.os`; list levels do not show. A \
         column whose own name holds a dot is written as a list: `path: [a.b, c]`. No part may be empty.";
    DUPLICATE_PATH = "AMP0105", "a field is there twice",
        "Two entries of `fields` have the same path, so nobody could tell which labels count. A path that names a \
         group and a longer one below it may stand side by side: the longer one counts.";
    LABELS_EXCLUDE = "AMP0106", "labels that exclude each other",
        "`I1` and `I2` exclude each other, and so do `S1` and `S2`, `ID-DEVICE` and `ID-PERSON`, and `ACC-ALL` and \
         `ACC-PERSON`. Keep the one that is meant.";
    LABEL_TWICE = "AMP0107", "a label is there twice",
        "The same label stands twice in one list. It counts once; perhaps another one was meant.";
    ID_WITHOUT_IDENTITY = "AMP0108", "an ID label without I1 or I2",
        "A field that can be searched for a person identifies one, directly (`I1`) or in combination (`I2`). Add the \
         one that holds.";
    ID_WITHOUT_NAMESPACE = "AMP0109", "an ID label without a namespace",
        "A searchable field needs a `namespace`: it says which identities of a request are compared with it.";
    NAMESPACE_WITHOUT_ID = "AMP0110", "a namespace without an ID label",
        "A `namespace` has an effect only on a field with `ID-DEVICE` or `ID-PERSON`. Without one, requests would \
         silently not find the rows. Add the label, or remove the namespace.";
    DEL_WITHOUT_IDENTITY = "AMP0111", "a DEL label without I1, I2 or S1",
        "What is to be erased identifies a person, directly (`I1`), in combination (`I2`), or by a precise location \
         (`S1`). Add the one that holds; or use `pii: true`, which needs none.";
    NEVER_ERASED = "AMP0112", "personal data that no delete erases",
        "The field carries `I1`, `I2` or `S1` and neither a `DEL-*` label nor `pii`: it stays when the subject asks to \
         be forgotten. Add `DEL-DEVICE` or `DEL-PERSON`; to keep it on purpose, add the label with \
         `erase: {method: keep}` and a `reason`, so that plans show it.";
    ID_NEVER_ERASED = "AMP0113", "an ID field that no delete erases",
        "The field can be searched and carries neither a `DEL-*` label nor `pii`: after a delete the subject can still \
         be found by it. Add `DEL-DEVICE` or `DEL-PERSON`, or keep it on purpose with `erase: {method: keep}` and a \
         `reason`.";
    NEVER_APPLIES = "AMP0114", "a label that can never apply",
        "`ACC-PERSON` and `DEL-PERSON` take effect where a row matched on an `ID-PERSON` field, and the dataset has \
         none. Use `ACC-ALL` or `DEL-DEVICE`, or label the field that identifies the person.";
    NEVER_SHOWN = "AMP0115", "personal data that no access request shows",
        "The field carries `I1`, `I2`, `S1`, an ID label or `pii`, and no `ACC-*`: the subject would not be told of \
         it. Add `ACC-ALL` or `ACC-PERSON`, or say why not with a `reason`.";
    ERASE_METHOD = "AMP0116", "a wrong erase method",
        "`erase` is a mapping with a `method`: pseudonym (with an optional `suffix`), null, empty, strip-url, coarsen, \
         constant (with a `value`), hmac (with a `key` that Settings names), remove-element, or keep (with a \
         `reason`). `suffix`, `value` and `key` belong to their method alone.";
    KEEP_WITHOUT_REASON = "AMP0117", "data kept without a reason",
        "`method: keep` keeps personal data on purpose. Plans and the ledger show the reason, so there must be one: \
         write `reason: …` on the field.";
    ERASE_NEVER = "AMP0118", "an erase method that is never used",
        "The field names a method, and carries neither a `DEL-*` label nor `pii`: it is never erased. Probably the \
         label is missing.";
    UNKNOWN_KEY_NAME = "AMP0119", "an hmac key that Settings does not name",
        "`method: hmac` needs a key that the Settings document names under `keys`, from a file or an environment \
         variable. A hash without a key is not offered: a hashed e-mail address can be guessed.";
    DELETE_DEFAULT = "AMP0120", "a method that cannot be a default",
        "`deleteDefaults` gives the methods of fields without an `erase` of their own. `constant` and `hmac` need more \
         than a name, `keep` needs a reason, `remove-element` fits lists only: name them on the field. \
         `strings` takes pseudonym, null, empty or strip-url; `others` takes pseudonym, null, empty or coarsen.";
    SAME_NAMESPACE = "AMP0121", "several ID fields of one namespace",
        "Both fields are searched. If they hold two people of one row (sender and receiver), a request of one would \
         reach the other's data: give each a `party`. If they always mean one and the same person, say \
         `sameSubject: true` on the dataset.";
    PARTY_UNREACHED = "AMP0122", "a party that nobody can be",
        "The field belongs to a party, and no ID field of the dataset has that party, while all of them have another: \
         no match can ever reach the field. Probably the party's name is misspelt.";
    NO_ID_FIELD = "AMP0123", "a dataset without an ID field",
        "No field carries `ID-DEVICE` or `ID-PERSON`, so no request can find a row in this dataset. If rows belong to \
         people through another table, label the column that links them.";
    ENVIRONMENT = "AMP0124", "a namespace of the wrong environment",
        "Test datasets carry only namespaces that start with `qa-`, production datasets never do: so a rehearsal can \
         never reach real people, and a real request never test data.";
    HARD_CODED_IN_TEST = "AMP0125", "a hard-coded namespace for testing",
        "AAID, ECID, visitorId and customVisitorId have no `qa-` form, and a test dataset may not carry them: \
         production requests would reach it. Use a custom namespace, such as `qa-cookie`, in the test dataset.";
}
