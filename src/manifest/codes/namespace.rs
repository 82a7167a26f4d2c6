//! 02xx: namespaces (RULES.md section 2).

codes! {
    NAMESPACE_NAME = "AMP0201", "not a namespace",
        "A namespace has 1 to 64 letters, digits, `_`, `-` and spaces, with no space at either end. It compares \
         without case.";
    REDEFINED = "AMP0202", "a hard-coded namespace is defined again",
        "AAID, ECID, visitorId and customVisitorId have fixed formats and rules, which requests of every source rely \
         on. No policy may change them. Remove the document, or define a namespace of another name.";
    DEFINED_TWICE = "AMP0203", "a namespace is defined twice",
        "Two Namespace documents define the same namespace (names compare without case). Which of them counts is \
         nothing to guess. Remove one.";
    PATTERN = "AMP0204", "not a regular expression",
        "`format` is a regular expression that matches in linear time: no look-around, no back-references, and not too \
         large. In YAML, put it in single quotes: then backslashes stay as they are.";
    UNANCHORED = "AMP0205", "a format that is not anchored",
        "Without `^` and `$` the expression may match anywhere, so that values with anything around them pass: \
         `[0-9]+` accepts `abc1`. Write `^[0-9]+$`.";
    UNUSED = "AMP0206", "a namespace that no dataset carries",
        "No ID field names this namespace, so it has no effect. Probably it is spelt differently there, or the label \
         is missing.";
    CASE = "AMP0207", "a case rule without effect",
        "`caseSensitive: true` beside `normalize: [lowercase]`: lower-casing comes first on both sides, so values still \
         compare without regard to case. Remove one of the two.";
}
