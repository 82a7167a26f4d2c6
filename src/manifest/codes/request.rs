//! 03xx, 04xx and 07xx: requests, their values and blocks, Adobe JSON.

codes! {
    NO_USERS = "AMP0301", "a request without user blocks",
        "`users` lists the data subjects, one block each. A request without one asks for nothing; the file is rejected. \
         Write a block, or remove the file.";
    TOO_MANY_USERS = "AMP0302", "too many user blocks",
        "A request has at most 1000 user blocks, or fewer where `limits.usersPerRequest` in Settings says so. The file \
         is rejected as a whole: which blocks were to be left out is nothing to guess. Split it into several requests.";
    DUPLICATE_USER_KEY = "AMP0303", "two user blocks with one key",
        "`key` is the controller's own reference; statuses, packages and the ledger name the block by it, so it is \
         unique in the request. The file is rejected, since it cannot be told which block a status would mean.";
    PERSONAL_KEY = "AMP0304", "a key that identifies the person",
        "`key` appears in statuses, package names, plans and the ledger, none of which may hold an identity. One that \
         looks like an e-mail address or equals one of the block's identity values would put it there. The block is \
         rejected (and shown by its number); use a case number instead.";
    PERSONAL_NAME = "AMP0305", "a request name that identifies a person",
        "The request's name appears in statuses, package paths, plans and the ledger, none of which may hold an \
         identity. One that looks like an e-mail address or equals an identity value of the request is refused, and \
         the file is rejected. For Adobe JSON the name is the file's name without its ending: rename the file.";
    KEY_TOO_LONG = "AMP0306", "a key of more than 256 characters",
        "`key` is a reference, any text of up to 256 characters. The block is rejected, and shown by its number.";
    NO_REGULATION = "AMP0307", "no regulation",
        "`regulation` says under which law the person asks, and sets the due date. Without it the request is due after \
         30 days. Write one of the known codes, such as `regulation: gdpr`.";
    UNKNOWN_REGULATION = "AMP0308", "an unknown regulation",
        "The code is not on the list of known regulations, so the request is due after 30 days. Write a known code, or \
         give this one a deadline under `deadlines` in Settings.";
    NO_INCLUDE = "AMP0309", "no `include`",
        "`include` names the products that the request is about. Without it the request reaches all of them. Write \
         the products, such as `include: [analytics]`.";
    UNKNOWN_PRODUCT = "AMP0310", "a product that no dataset has",
        "`include` names a product that is no dataset's `product`. Requests written for Adobe name Adobe's products \
         too, so it is ignored. If it was meant for a dataset, compare the spelling with the policies.";
    NOTHING_INCLUDED = "AMP0311", "a request that includes no dataset",
        "No product under `include` is the `product` of a dataset, so the request reaches no data and every task of it \
         will end as `NoMatch`. Compare the names with the `product` of the datasets.";
    OTHER_ORGANISATION = "AMP0312", "a request for another organisation",
        "Settings names the organisations that this deployment serves (`companyContexts`), and the request is addressed \
         to another one. It is rejected as a whole. Send it to the organisation that it names, or add that to Settings.";
    IGNORED_KEY = "AMP0313", "a key that means nothing here",
        "The key is part of Adobe's request format and has no effect in amparo: every request is worked on in every \
         pass, and there are no merge policies. It is accepted, so that requests need not be edited.";
    RECEIVED_IN_FUTURE = "AMP0314", "a request received in the future",
        "`receivedAt` lies ahead of the clock. The due date counts from it, so it would be too late. Check the date; \
         a date without a time means midnight UTC.";

    UNKNOWN_ACTION = "AMP0401", "an unknown action",
        "The actions are `access` (a package of the person's data) and `delete` (erasure). Another one cannot be \
         carried out, and doing only the rest would look like an answer. The block is rejected with `UnknownAction`; \
         the other blocks go on.";
    NO_ACTION = "AMP0402", "a block without an action",
        "`action` is an empty list, so there is nothing to do for the person. The block is rejected; the other blocks \
         go on. Write `access`, `delete` or both.";
    NO_IDENTITY = "AMP0403", "a block without an identity",
        "`userIDs` is an empty list, so nobody is meant. The block is rejected; the other blocks go on. Write at least \
         one identity with `namespace` and `value`.";
    TOO_MANY_IDENTITIES = "AMP0404", "too many identities in a block",
        "A block has at most 9 identities, or fewer where `limits.idsPerUser` in Settings says so. A composite identity \
         (`allOf`) counts as one, and has at most 9 parts. The block is rejected; the other blocks go on.";
    NAMESPACE_NAME = "AMP0405", "a namespace with characters that it may not have",
        "A namespace is 1 to 64 letters, digits, `_`, `-` and spaces, without spaces at its ends. The block is rejected; \
         the other blocks go on.";
    NAMESPACE_ID = "AMP0406", "a namespace id that is not known",
        "A namespace may be given by its numeric id (`namespaceId`, or `type: namespaceId` with the id as `namespace`) \
         only where the id is well known. Others are Adobe's own and say nothing about your data: write the name.";
    NAMESPACE_DISAGREES = "AMP0407", "a namespace whose name and id disagree",
        "The name and the numeric id of the identity mean different namespaces. Which one is right is nothing to guess: \
         the other one may be another person. The block is rejected. Correct one of the two, or remove the id.";
    IDENTITY_TYPE = "AMP0408", "an unknown type of identity",
        "`type` is standard, custom, integrationCode, namespaceId, unregistered, analytics or target. Only `namespaceId` \
         changes what is read: `namespace` then holds a numeric id. The block is rejected; the other blocks go on.";
    QA_MIXED = "AMP0409", "test and production namespaces in one block",
        "A block uses either `qa-` namespaces only, and reaches test datasets, or none, and reaches production. Mixing \
         them would join a rehearsal with real data. The block is rejected. Split it in two.";
    QA_HARD_CODED = "AMP0410", "a hard-coded namespace with `qa-`",
        "AAID, ECID, visitorId and customVisitorId are hard-coded: their names cannot be changed, so they have no `qa-` \
         form, and no test dataset carries them. Rehearse with another namespace. The block is rejected.";
    EMPTY_VALUE = "AMP0411", "an empty identity value",
        "An identity value is never empty: nobody is identified by nothing, and rows without an id must not match. The \
         block is rejected with `ValueFormat`; the other blocks go on.";
    VALUE_FORMAT = "AMP0412", "a value that is not formatted correctly",
        "The namespace demands a format that the value does not have. It could never match, and a silent `NoMatch` \
         would look like an answer. The block is rejected with `ValueFormat`; the other blocks go on. AAID is two \
         upper-case hex numbers without leading zeros, joined by `-`; ECID is 38 digits; visitorId is two 16-digit hex \
         or 19-digit decimal numbers, joined by `-`, `_` or `:`; the formats of other namespaces stand in the policies.";
    PLACEHOLDER = "AMP0413", "a value that stands for nobody",
        "Values such as `null`, `unknown`, `n/a`, all zeros, those of the namespace's `ignore` list, and pseudonyms that \
         an erasure left mean no person: rows that hold them belong to many. They never match, so the block is rejected \
         with `ValueFormat`; the other blocks go on.";
    COMPOSITE = "AMP0414", "a composite identity that is not well-formed",
        "`allOf` joins two to 9 different identities that only together mean one person; each part has a `namespace` and \
         a `value`. Parts are not composite themselves, and nothing else stands beside `allOf`. The block is rejected.";
    DUPLICATE_IDENTITY = "AMP0415", "something is listed twice in a block",
        "The same identity (the namespace compared without case, the value in its canonical form) or the same action is \
         listed before. The repetition changes nothing, and is left out.";
    NOT_CARRIED = "AMP0416", "a namespace that no dataset carries",
        "No dataset that the block reaches has a field of this namespace, so the identity matches nothing. The task will \
         end as `NoMatch` if the block's other identities match nothing either. Compare the spelling with the policies.";
    ONLY_UNKNOWN = "AMP0417", "a narrowing to something that is not there",
        "`only` names a dataset or data source that the policies do not have. Narrowed to nothing the block would find \
         nothing, which would look like an answer. The block is rejected; the other blocks go on.";
    NOT_SELECTABLE = "AMP0418", "a field that cannot narrow a block",
        "`only.where` takes fields that a policy marks `selectable: true`, by their path. No dataset that the block \
         reaches has such a field. The block is rejected; the other blocks go on.";
    NOTHING_REACHED = "AMP0419", "a block that reaches no dataset",
        "`include` and `only` together leave no dataset of the block's environment (test datasets for `qa-` namespaces, \
         production for the others), so its tasks will end as `NoMatch`. Widen the narrowing if that is not meant.";
    STANDING_WITHOUT_DELETE = "AMP0420", "standing without a deletion",
        "`standing: true` keeps an erasure in force for data that arrives later. The block does not ask for `delete`, so \
         it means nothing. Add the action, or remove the flag.";

    PLAIN_IDENTITY = "AMP0421", "an identity that is not sealed",
        "Settings says `sealing.required: true`: identities stand in requests sealed, so that the value which is to be \
         forgotten does not stay in Git's history for ever. This one is plain. `amparo seal --in-place FILE` seals the \
         file's identities, and nothing else in it. If the file was committed before, its history still holds the value. \
         The block is rejected until then; what is complete stays so.";
    SEALED_FORM = "AMP0422", "a sealed value that is not well-formed",
        "A value that starts with `sealed:` is `sealed:age:` and an age file in base64, on one line, encrypted to at \
         least one age recipient (age1…). A line break, a blank or a lost character breaks it. The block is rejected; \
         paste the whole scalar that `amparo seal` printed.";
    SEALED_DAMAGED = "AMP0423", "a sealed value that has been changed",
        "The key opens the value's age file, and what is inside is not what was sealed: a bit has changed, or it holds \
         no document of the form {v, namespace, request, value}. The block is rejected. Seal the value again.";
    SEALED_MOVED = "AMP0424", "a sealed value of another place",
        "A sealed value is bound to its namespace and its request, so that nobody can move it into another request and \
         have a stranger's data exported or erased. This one was sealed for another namespace or another request (an \
         Adobe request is named after its file: renaming it counts). The block is rejected. Seal the value again for \
         this place, or move it back.";
    SEALED_RECIPIENTS = "AMP0425", "a value sealed to other recipients",
        "The number of recipients that can open the value is not the number that `sealing.recipients` in Settings names, \
         so somebody who should open it cannot, or somebody who left still can. Which recipients they are cannot be told \
         from a sealed value. Seal it again.";
    UNOPENED = "AMP0426", "sealed values that were not opened",
        "Of a sealed value only the form can be checked without its key: its format, and whether it names the person in \
         a key or name, are checked by whoever has it. With a key that does not open it this is a warning. `plan` and \
         `apply` let such blocks fail with reason `Sealed`, and go on with the others.";
    DIGEST = "AMP0427", "a digest that is not well-formed",
        "`digest` stands in place of `value`: hmac-sha256: and 64 lower-case hex digits, an HMAC under the deployment key \
         of the state, as `amparo retire` writes it. A plain hash will not do: it could be guessed. The block is rejected.";
    JSON_SYNTAX = "AMP0701", "the file is not JSON",
        "An Adobe Privacy Service request is JSON by RFC 8259: strings in straight double quotation marks, a colon \
         between a key and its value, a comma between entries and none after the last, no comments. Every fault of the \
         file is reported where it stands; nothing of the file's text is shown, since it may identify a person. The \
         file is rejected as a whole.";
}
