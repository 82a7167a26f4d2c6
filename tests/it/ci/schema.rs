//! Holds documents against the real schemas (`tests/fixtures/schemas`): SARIF's JSON Schema and JUnit's XSD.
//! Both checkers know the keywords that these two use, and panic at any other.

use serde_json::Value;

use super::xml::{Element, parse};

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/schemas/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Asserts that a SARIF log is one.
#[track_caller]
pub(super) fn assert_sarif(text: &str) -> Value {
    let schema: Value = serde_json::from_str(&fixture("sarif-2.1.0.json")).unwrap();
    let log: Value = serde_json::from_str(text).unwrap();
    let mut faults = Vec::new();
    Json { root: &schema }.check(&schema, &log, "", &mut faults);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    log
}

/// Asserts that a JUnit report is one.
#[track_caller]
pub(super) fn assert_junit(text: &str) -> Element {
    let schema = parse(&fixture("junit-10.xsd"));
    let report = parse(text);
    let mut faults = Vec::new();
    let root = Xsd { root: &schema }.element(&report.name).expect("a global element");
    Xsd { root: &schema }.check(root, &report, &mut faults);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    report
}

struct Json<'a> {
    root: &'a Value,
}

impl Json<'_> {
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults.is_empty()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let mut expect = |fine: bool, what: String| {
            if !fine {
                faults.push(format!("{at}: {what}"));
            }
        };
        let mut below: Vec<(&Value, &Value, String)> = Vec::new();
        for (keyword, rule) in schema.as_object().unwrap() {
            let list = || rule.as_array().unwrap();
            match keyword.as_str() {
                "$schema" | "$id" | "title" | "description" | "default" | "definitions"
                | "format" => {}
                "$ref" => {
                    let path = rule.as_str().unwrap().strip_prefix('#').unwrap();
                    below.push((self.root.pointer(path).unwrap(), value, at.to_owned()));
                }
                "type" => {
                    let of = |name: &Value| match name.as_str().unwrap() {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "boolean" => value.is_boolean(),
                        "number" => value.is_number(),
                        "integer" => value.is_i64() || value.is_u64(),
                        other => panic!("the type {other}"),
                    };
                    let fine = if rule.is_array() { list().iter().any(of) } else { of(rule) };
                    expect(fine, format!("is no {rule}"));
                }
                "enum" => expect(list().contains(value), format!("{value} is none of {rule}")),
                "pattern" => {
                    let pattern = regex::Regex::new(rule.as_str().unwrap()).unwrap();
                    expect(
                        value.as_str().is_none_or(|text| pattern.is_match(text)),
                        format!("{value} does not fit {rule}"),
                    );
                }
                "minimum" => {
                    let least = rule.as_f64().unwrap();
                    expect(value.as_f64().is_none_or(|n| n >= least), format!("{value} < {rule}"));
                }
                "maximum" => {
                    let most = rule.as_f64().unwrap();
                    expect(value.as_f64().is_none_or(|n| n <= most), format!("{value} > {rule}"));
                }
                "minItems" => {
                    let least = rule.as_u64().unwrap() as usize;
                    expect(value.as_array().is_none_or(|l| l.len() >= least), "too few".to_owned());
                }
                "uniqueItems" => {
                    let unique = |l: &Vec<Value>| (1..l.len()).all(|i| !l[..i].contains(&l[i]));
                    let fine = rule == &Value::Bool(false) || value.as_array().is_none_or(unique);
                    expect(fine, "not unique".to_owned());
                }
                "required" => {
                    let missing =
                        list().iter().find(|key| value.get(key.as_str().unwrap()).is_none());
                    expect(!value.is_object() || missing.is_none(), format!("lacks {missing:?}"));
                }
                "anyOf" => {
                    let fine = list().iter().any(|schema| self.fits(schema, value));
                    expect(fine, "fits none of anyOf".to_owned());
                }
                "oneOf" => {
                    let n = list().iter().filter(|schema| self.fits(schema, value)).count();
                    expect(n == 1, format!("fits {n} of oneOf"));
                }
                "items" => below.extend(
                    value
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|item| (rule, item, format!("{at}/*"))),
                ),
                "properties" => {
                    below.extend(value.as_object().into_iter().flatten().filter_map(
                        |(key, value)| Some((rule.get(key)?, value, format!("{at}/{key}"))),
                    ));
                }
                "additionalProperties" => {
                    let known = schema.get("properties");
                    let others = value.as_object().into_iter().flatten();
                    let others = others
                        .filter(|(key, _)| known.is_none_or(|known| known.get(key).is_none()));
                    for (key, value) in others {
                        match rule {
                            Value::Bool(allowed) => expect(*allowed, format!("{key} is unknown")),
                            schema => below.push((schema, value, format!("{at}/{key}"))),
                        }
                    }
                }
                other => panic!("the keyword {other} is not known here"),
            }
        }
        for (schema, value, at) in below {
            self.check(schema, value, &at, faults);
        }
    }
}

struct Xsd<'a> {
    root: &'a Element,
}

impl<'a> Xsd<'a> {
    /// The global element of that name.
    fn element(&self, name: &str) -> Option<&'a Element> {
        self.named("xs:element", name)
    }

    fn named(&self, kind: &str, name: &str) -> Option<&'a Element> {
        let of = |e: &&Element| e.name == kind && e.attribute("name") == Some(name);
        self.root.children.iter().find(of)
    }

    fn check(&self, declared: &'a Element, element: &Element, faults: &mut Vec<String>) {
        let mut fault = |what: String| faults.push(format!("<{}>: {what}", element.name));
        let inline = declared.children.iter().find(|child| child.name == "xs:complexType");
        let kind = match (inline, declared.attribute("type")) {
            (Some(inline), _) => inline,
            (None, Some("xs:string")) => {
                if !element.children.is_empty() || !element.attributes.is_empty() {
                    fault("is text only".to_owned());
                }
                return;
            }
            (None, Some(name)) => self.named("xs:complexType", name).expect("a known type"),
            (None, None) => panic!("an element without a type"),
        };
        if kind.attribute("mixed") != Some("true") && !element.text.trim().is_empty() {
            fault("holds text".to_owned());
        }
        let allowed: Vec<&Element> =
            kind.children.iter().filter(|child| child.name == "xs:attribute").collect();
        for (name, value) in &element.attributes {
            match allowed.iter().find(|rule| rule.attribute("name") == Some(name)) {
                None => fault(format!("the attribute {name} is unknown")),
                Some(rule) => match rule.attribute("type").unwrap() {
                    "xs:string" => {}
                    named => {
                        let kind = self.named("xs:simpleType", named).unwrap();
                        let pattern = kind.find("xs:pattern").unwrap().attribute("value").unwrap();
                        let whole = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
                        if !whole.is_match(value) {
                            fault(format!("{name}={value:?} does not fit {named}"));
                        }
                    }
                },
            }
        }
        for rule in allowed.iter().filter(|rule| rule.attribute("use") == Some("required")) {
            let name = rule.attribute("name").unwrap();
            if element.attribute(name).is_none() {
                fault(format!("lacks {name}"));
            }
        }
        for child in &element.children {
            let known = kind.find_all("xs:element").into_iter().find(|rule| {
                rule.attribute("ref") == Some(&child.name)
                    || rule.attribute("name") == Some(&child.name)
            });
            match known {
                None => faults.push(format!("<{}> in <{}> is unknown", child.name, element.name)),
                Some(rule) => {
                    let target = match rule.attribute("ref") {
                        Some(name) => self.element(name).expect("a global element"),
                        None => rule,
                    };
                    self.check(target, child, faults);
                }
            }
        }
    }
}

#[test]
fn the_checkers_find_faults() {
    let schema: Value = serde_json::from_str(&fixture("sarif-2.1.0.json")).unwrap();
    let json = Json { root: &schema };
    let good =
        r#"{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": []}]}"#;
    assert!(json.fits(&schema, &serde_json::from_str(good).unwrap()));
    for (from, to) in [
        ("2.1.0", "2.2.0"),
        ("\"driver\"", "\"drivers\""),
        ("\"results\": []", "\"results\": [{}]"),
        ("\"results\": []", "\"columnKind\": \"bytes\""),
        ("\"results\": []", "\"results\": [{\"message\": {\"text\": \"x\"}, \"ruleIndex\": -2}]"),
    ] {
        let bad = good.replace(from, to);
        assert!(!json.fits(&schema, &serde_json::from_str(&bad).unwrap()), "{bad}");
    }

    let schema = parse(&fixture("junit-10.xsd"));
    let xsd = Xsd { root: &schema };
    let faults = |text: &str| {
        let mut faults = Vec::new();
        xsd.check(xsd.element("testsuites").unwrap(), &parse(text), &mut faults);
        faults.len()
    };
    let suite = "<testsuite name='a' tests='1' failures='0' errors='0'>";
    assert_eq!(
        faults(&format!("<testsuites>{suite}<testcase name='x'/></testsuite></testsuites>")),
        0
    );
    for bad in [
        format!("<testsuites>{suite}<testcase/></testsuite></testsuites>"),
        format!("<testsuites>{suite}<case name='x'/></testsuite></testsuites>"),
        format!("<testsuites>{suite}text</testsuite></testsuites>"),
        "<testsuites time='x'/>".to_owned(),
        "<testsuites nope=''/>".to_owned(),
    ] {
        assert_eq!(faults(&bad), 1, "{bad}");
    }
}
