//! 06xx: data held against policies (`check --data`).

codes! {
    DATA_UNREADABLE = "AMP0601", "data that cannot be used",
        "A file of the dataset, or its location, cannot be read or must not be rewritten: a location without files, \
         a file of zero bytes, a broken footer, a dead link, a second hard link, a table of another format, a file \
         that two datasets share, and so on. Missing data never reads as \"no match\": tasks that need the dataset \
         fail until the file is mended or moved away. `mayBeEmpty: true` allows a location without files.";
    FIELD_WITHOUT_DATA = "AMP0602", "a field that the data does not have",
        "The policy labels a field that no file of the dataset has. Usually the name is misspelled (names compare \
         exactly, a column whose name holds a dot is written as a list), and then the real column would be neither \
         searched, shown nor erased. Tasks that would need the field fail. Correct the path, or remove the entry.";
    COLUMN_NOT_MENTIONED = "AMP0603", "a column that the policy does not mention",
        "The data has a column about which the policy says nothing: it is not searched, shown or erased. Look \
         whether it holds personal data, and list it: an entry without labels says that somebody has looked. With \
         `unlabelled: deny` this is an error, and tasks that find rows in the dataset fail until the column is listed.";
    METHOD_TYPE = "AMP0604", "an erase method that the column's type cannot take",
        "Strings take all methods but coarsen; integers null, empty, constant, and pseudonym where they have 64 \
         bits; decimals null, empty, constant; floats those and coarsen; dates and timestamps null, coarsen, \
         constant; binary and UUID pseudonym, null, empty; booleans null, constant; all take keep, and everything \
         in lists and maps remove-element. A field that cannot be erased fails the delete tasks that need it; it is \
         never skipped.";
    NULL_REQUIRED = "AMP0605", "null on a required column",
        "The column is declared as required, so null cannot be written into it: null never takes siblings along, \
         so a required leaf in an optional struct cannot be nulled alone. Name another method, such as empty or \
         constant.";
    DEFAULT_NULL_REQUIRED = "AMP0606", "a required column without a method of its own",
        "The field can be erased, names no method, and the default for its type is null, which a required column \
         cannot hold. Which value may stand in its place is for the policy to say: name a method, such as empty \
         or constant.";
    CONSTANT_TYPE = "AMP0607", "a constant that is not of the column's type",
        "`constant` writes its `value` into the column, so it must be a value of the column's type: a whole number \
         in range, a decimal with no more digits than the column has, an ISO 8601 date or timestamp no finer than \
         the column's unit, or true or false.";
    ID_TYPE = "AMP0608", "an ID field of a type that cannot identify",
        "Floats and booleans cannot be compared for identity, and neither can times of day or intervals. ID \
         fields are strings, integers, decimals, dates, timestamps, UUIDs and binary. Tasks that search the dataset \
         fail until the label is gone.";
    PARTITION_ERASE = "AMP0609", "a partition column that is to be erased",
        "The column's values stand in the paths of the files, not in the files, so rewriting a file cannot erase \
         them. Let matched rows of the dataset be removed (`erase: rows`), or remove `DEL-*` and `pii` from the field.";
    REMOVE_ELEMENT = "AMP0610", "remove-element outside lists and maps",
        "`remove-element` takes the matched elements out of a list or map. The column lies in neither. Name another \
         method; `erase: rows` on the dataset removes whole rows.";
    REMOVES_SIBLINGS = "AMP0611", "remove-element takes siblings along",
        "An element is removed as a whole: the other fields of a struct in a list, or the key of a map's value, go \
         with it, though their own policy does not let them be erased or says that they are kept. If that is not \
         meant, name a method that changes the value alone.";
    TIMESTAMP = "AMP0612", "a timestamp that the data does not have, or of another type",
        "`timestamp` names the event time of a row, by which packages are sorted: a timestamp or date column outside \
         lists and maps. Access tasks that find rows in the dataset fail until it is one.";
    HIT_ID = "AMP0613", "a hit id that the data does not have, or of another type",
        "`hitId` names the column by which replicated rows are recognised: one value a row, of a type that can be \
         compared for identity. Access tasks that find rows in the dataset fail until it is one.";
    HOLD_FIELD = "AMP0614", "a hold on a field that the data does not have",
        "None of the hold's datasets has the field, so the hold would keep nothing. A misspelled hold must not let \
         data be destroyed: deletes that find rows in its datasets fail until the path is corrected.";
    ELEMENTS_OUTSIDE_LIST = "AMP0615", "elements: all on a field outside lists and maps",
        "`elements: all` lifts the restriction to matched elements of a list or map. The field lies in neither, so \
         it has no effect. Remove it, or correct the path.";
    NOTHING_TO_JUDGE = "AMP0616", "erasures that verify cannot judge",
        "`verify` and `standing` tell from a row's values whether it has been erased. The results of hmac, of \
         pseudonyms on numbers, binary and AAID columns cannot be told from data, and the dataset has no other \
         erased field: rows that arrive after an erasure would not be noticed.";
    HMAC_KEY = "AMP0617", "a key that Settings does not name",
        "`hmac` needs a `key` that stands under `keys` in Settings, with the file or environment variable that holds \
         it. Without it nothing can be written, so delete tasks that need the field fail.";
    LOOKS_PERSONAL = "AMP0618", "a column that looks personal and carries no label",
        "The column's name, or a sample of its values, looks like personal data (e-mail addresses, phone numbers, IP \
         addresses, IBANs, payment cards, national identifiers, names of people, dates of birth), and no label covers \
         it: it is not searched, shown or erased. Label it, or mark it `pii: true`. If it is no personal data, list it \
         under `fields` with a `reason`; an entry without one does not silence this. The evidence is counted in a fixed \
         sample of up to 1,024 rows; values are never shown.";
    NOT_SAMPLED = "AMP0619", "values that could not be looked at",
        "`check --data` looks at a sample of the values of columns without a label, and could not read a part of it: \
         the file is damaged, or changed at that moment. What it holds is not known; a pass that needs the file fails.";
    ID_UNREACHED = "AMP0620", "an ID field that no request can reach",
        "There are requests, and none of them can find a row by this field: none names its namespace, and neither links \
         nor cookies lead to it from what the requests name. Usually the namespace is misspelt, or its document with \
         `expansion: always` is missing. Where the namespace is defined or built in, a request may name it one day: then \
         this is said only where no request reaches any ID field of the dataset. Or the column's \
         type cannot hold a value of its namespace, as an integer cannot hold an AAID. A `reason` on the field silences \
         this.";
    UNCOVERED = "AMP0621", "data that no dataset covers",
        "`check --root DIR` found Parquet files, or a table of another format, below the root that the location of no \
         Dataset names: nothing in them is searched, shown or erased. One finding stands for a directory with all its \
         partitions. Files and folders whose names start with `.` or `_` belong to no dataset, and count as uncovered. \
         Write a Dataset, or name the place in Settings: `coverage: {ignore: [{location: …, reason: …}]}`.";
    NOT_LOOKED_AT = "AMP0622", "a place that could not be looked at",
        "Below the root there is a directory or file that cannot be read, a dead link to data, or a link that leads out of the root \
         to data that no dataset covers. Links out of the root are not followed: name their target as a root of its own. What \
         lies there could be covered by no dataset.";
    IGNORED_IN_VAIN = "AMP0623", "a place that is ignored and not there",
        "`coverage` in Settings leaves a location below the root out of `check --root`, and there is nothing that it names. It \
         may be misspelt; and it would hide what somebody puts there later. Correct it, or remove the entry.";
}
