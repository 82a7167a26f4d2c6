//! 05xx: holds and settings (RULES.md section 5, CONTRACT.md section 1).

codes! {
    HOLD_SCOPE = "AMP0501", "a hold that does not say what it covers",
        "A hold names either `datasets` (with `fields` if only some are kept) or `requests` (with `keys` if only some \
         blocks are kept), never both and never neither. Write two holds where both are meant.";
    HOLD_DATASET = "AMP0502", "a hold on an unknown dataset",
        "No Dataset has that name, so the hold would protect nothing. Correct the spelling.";
    HOLD_FIELD = "AMP0503", "a hold on an unknown field",
        "None of the hold's datasets has a field of that path in its policy, so the hold would protect nothing. Correct \
         the spelling, or mention the column in the dataset's `fields`.";
    HOLD_REQUEST = "AMP0504", "a hold on an unknown request",
        "No request file has that name (or no block of it that key), so the hold protects nothing today. That is right \
         only if the request is still to come, or was removed.";
    HOLD_NOTHING = "AMP0505", "a hold on a dataset without the fields",
        "The hold names fields, and none of them is in this dataset: only its ID fields are kept there. Probably \
         a field is missing in the list, or the dataset needs a hold of its own.";
    HOLD_EXPIRED = "AMP0506", "a hold that has lapsed",
        "`until` is the first day on which a hold holds no more, in UTC. This one no longer keeps anything; remove the \
         document when it is not needed as a record.";
    SETTINGS_TWICE = "AMP0511", "several Settings documents",
        "There is at most one Settings document, whatever its name: which of two would count is nothing to guess. Put \
         all settings into one.";
    LIMIT = "AMP0512", "a limit out of range",
        "`usersPerRequest` may only lower 1000 and `idsPerUser` may only lower 9; `maxFractionErased` lies between 0 \
         and 1; the others are whole numbers.";
    PERIOD = "AMP0513", "not a period",
        "Periods are a number and a unit: `30d` (days); deadlines also take `1mo` (calendar months) and `20wd` (working \
         days). The number is 1 to 3650.";
    UNKNOWN_REGULATION = "AMP0514", "a deadline for an unknown regulation",
        "The code is not on the list of regulations that Adobe Privacy Service knows. The deadline counts for requests \
         that spell the code exactly so; if none will, correct it.";
    KEY_SOURCE = "AMP0515", "a key without a source",
        "A key comes from exactly one place: `{file: PATH}` or `{env: NAME}`. The key itself never stands in a policy.";
    KEY_NAME = "AMP0516", "not a name of a key",
        "Names of keys have 1 to 63 letters, digits, `-`, `_` or `.`; names of environment variables have letters, \
         digits and `_`, and do not start with a digit.";
    PREFIX = "AMP0517", "not a pseudonym prefix",
        "`pseudonymPrefix` stands at the start of every pseudonym, so that erased values can be told from others. It \
         has 1 to 64 printable characters.";
    STORE = "AMP0518", "a store that is not supported yet",
        "`state` and `exports` are directories, or `file://` URLs of directories. Object stores do not work yet.";
    RETIRED = "AMP0519", "retired, and still there",
        "`retired` lets a Dataset or Hold go that the ledger knows and that the policies no longer have. This one is \
         still there, so the entry has no effect now, and would hide its loss later. Remove one of the two.";
    RECIPIENT = "AMP0520", "not an age recipient",
        "`recipients` lists age recipients of the X25519 kind, `age1` and 58 more characters, as `amparo keygen` and \
         `age-keygen` print them. SSH keys, plugins and passphrases are not supported. A recipient that cannot be used is \
         an error, since what should be encrypted to it would not be readable, or not be secret.";
    RECIPIENT_TWICE = "AMP0521", "an age recipient that is listed twice",
        "The recipient stands in the list already. Listing it again changes nothing, and usually another one was meant.";
    NO_RECIPIENT = "AMP0522", "encryption without recipients",
        "`sealing` with `required: true`, and `packageEncryption`, need at least one recipient: without one nothing could \
         be encrypted, and leaving it plain would be the opposite of what is asked. `amparo keygen` makes a key and prints \
         its recipient.";
}
