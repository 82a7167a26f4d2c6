//! 00xx: files, documents, envelopes, and the forms that every kind shares.

codes! {
    NOT_UTF8 = "AMP0001", "the file is not UTF-8",
        "Policies and requests are text in UTF-8, with or without a byte order mark. The position is that of the \
         first byte that is not. Editors on Windows may save UTF-16: save the file again as UTF-8.";
    FORBIDDEN_CHARACTER = "AMP0002", "a character that text may not hold",
        "NUL and other control characters (all but tab and line breaks) are not allowed in YAML or JSON. Readers \
         disagree on what follows them, some stop there in silence, so that a hold behind one would not be read. \
         Remove the character.";
    TOO_LARGE = "AMP0003", "the file is beyond what is read",
        "A file may have up to 4 MiB, 255 levels of nesting, 1,000 documents and 400,000 values, aliases counted as \
         often as they are used. The limits keep a hostile file from taking the machine down. Split the file: every \
         document may stand in a file of its own.";
    SYNTAX = "AMP0004", "the file cannot be parsed",
        "The text is not YAML (or JSON). Of a request file only the position and the kind of thing found there are \
         shown, since the text may identify a person. Common causes: a tab in the indentation, a value with `: ` \
         or a leading `*`, `&`, `@` or `%` that needs quotes, a bracket or quote that is not closed.";
    UNSUPPORTED_YAML = "AMP0005", "a YAML feature that is not read",
        "Tags other than `!!str`, merge keys (`<<`), keys that are not plain text, aliases used as keys and anchors \
         that hold themselves are refused, because readers of YAML disagree on what they mean. Write the values out. \
         Anchors and aliases as values are read.";
    POLICY_ENDING = "AMP0006", "a file in the policy directory that is not read",
        "Only `*.yaml` and `*.yml` are read in the policy directory. Any other file is an error: a hold in a file \
         that nobody reads would let data be destroyed. Rename the file, move it elsewhere, or let its name start \
         with a dot.";
    REQUEST_ENDING = "AMP0007", "a file in the request directory that is not read",
        "Only `*.yaml`, `*.yml` and `*.json` are read in the request directory. The file is left alone; if it is \
         meant to be a request, rename it.";
    NO_DOCUMENT = "AMP0008", "the file holds no document",
        "The file is empty or holds comments only. That is allowed, and probably not meant: nothing in it takes \
         effect. Remove the file, or write the document.";
    NO_POLICIES = "AMP0009", "there are no policies",
        "The policy directory holds no Dataset. Without one, no data is known, so every request would end as \
         `NoMatch`. Check `--policies` and `-C`, or write a Dataset (`amparo init` makes an example).";
    NOT_A_DOCUMENT = "AMP0010", "a document is not a mapping",
        "Every document is a mapping with `apiVersion`, `kind`, `metadata` and `spec`. A list or a scalar at the top \
         level cannot be one. Separate documents in one file with a line `---`.";
    API_VERSION = "AMP0011", "a version of the format that is not known",
        "`apiVersion` must be `amparo/v1`. Another version may mean other things by the same words, so it is never \
         guessed. Write `apiVersion: amparo/v1`, or use the release of amparo that knows the version.";
    UNKNOWN_KIND = "AMP0012", "an unknown kind of document",
        "The kinds are Dataset, Namespace, Hold, Role and Settings (policies) and SubjectRequest (requests). They are \
         compared exactly, with their capitals.";
    WRONG_DIRECTORY = "AMP0013", "a document in the wrong directory",
        "Policies (Dataset, Namespace, Hold, Role, Settings) belong in the policy directory, requests (SubjectRequest, \
         Adobe JSON) in the request directory, approvals (Approval) in that of approvals. They have different readers in Git: policies are reviewed by the \
         data team, requests name people. Move the file.";
    NAME = "AMP0014", "a name that is not a DNS label",
        "`metadata.name` has 1 to 63 characters of a-z, 0-9 and `-`, and starts and ends with a letter or digit. \
         Names become parts of paths and of the ledger, so they are kept simple.";
    DUPLICATE_NAME = "AMP0015", "two documents of one kind and name",
        "Names are unique among the documents of a kind, across all files. Which of the two would count is nothing \
         to guess. Rename one, or remove it.";
    UNKNOWN_KEY = "AMP0016", "an unknown key",
        "The key means nothing at this place. A misspelled key would silently not apply, so it is an error (a \
         warning in Adobe JSON, whose format grows). Keys are compared exactly. Correct the spelling or remove it.";
    DUPLICATE_KEY = "AMP0017", "a key is there twice",
        "A mapping gives the same key more than once (or in two spellings that mean the same). Readers differ in \
         which one counts. Remove one.";
    MISSING_KEY = "AMP0018", "a key is missing",
        "The mapping must have this key. The position is that of the mapping.";
    WRONG_TYPE = "AMP0019", "a value of the wrong type",
        "The value is, for instance, a list where text is expected, or text where `true` or `false` is. Booleans are \
         `true` or `false` without quotes; numbers are digits without quotes.";
    NOT_ONE_OF = "AMP0020", "a value that is none of the alternatives",
        "The key takes one of a few words, compared exactly. The help lists them.";
    MALFORMED = "AMP0022", "a value that is not well-formed",
        "The value must have a certain form, such as a date (`2027-07-01`), a period (`14d`) or a whole number in a \
         range. The help says which.";
    EMPTY = "AMP0023", "a value that is empty",
        "The text or list is empty, and an empty one means nothing here. Write what is meant, or remove the key.";
    TOO_MANY = "AMP0024", "more problems than are listed",
        "Of one file at most 2,000 problems are listed. Usually they have one cause, such as a list that stands one \
         level too deep. Mend the first ones and check again.";
    NOT_REGULAR = "AMP0025", "not a regular file",
        "Only regular files are read, through links too: a pipe would make every pass wait for whoever writes into it, \
         and sockets and devices hold no documents. Among policies this stops every pass, since a hold may have been \
         meant; among requests the others go on. Remove it, or put a file in its place.";
}
