//! As much of XML 1.0 as reports and schemas need. Whatever is not well-formed is a panic.

/// An element.
#[derive(Debug, Clone, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// Its own text, without that of its children.
    pub(super) text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first descendant of that name.
    pub(super) fn find(&self, name: &str) -> Option<&Element> {
        self.find_all(name).into_iter().next()
    }

    /// Every descendant of that name.
    pub(super) fn find_all(&self, name: &str) -> Vec<&Element> {
        let mut found = Vec::new();
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            found.extend(child.find_all(name));
        }
        found
    }
}

/// The document's element.
#[track_caller]
pub(super) fn parse(text: &str) -> Element {
    let mut open = vec![Element::default()];
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        open.last_mut().unwrap().text.push_str(&unescape(&rest[..at]));
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = &after[after.find("-->").expect("the comment's end") + 3..];
        } else if let Some(after) = rest.strip_prefix("<?") {
            rest = &after[after.find("?>").expect("the instruction's end") + 2..];
        } else if let Some(after) = rest.strip_prefix("</") {
            let end = after.find('>').expect("the tag's end");
            let done = open.pop().unwrap();
            assert_eq!(done.name, after[..end].trim(), "tags cross");
            open.last_mut().expect("one tag too many").children.push(done);
            rest = &after[end + 1..];
        } else {
            let (element, empty, after) = tag(&rest[1..]);
            rest = after;
            if empty {
                open.last_mut().unwrap().children.push(element);
            } else {
                open.push(element);
            }
        }
    }
    let mut document = open.pop().unwrap();
    assert!(open.is_empty(), "<{}> is not closed", document.name);
    assert_eq!(document.children.len(), 1, "one root");
    document.children.remove(0)
}

fn tag(mut rest: &str) -> (Element, bool, &str) {
    let name = rest.find([' ', '\n', '>', '/']).expect("the tag's end");
    let mut element = Element { name: rest[..name].to_owned(), ..Element::default() };
    assert!(!element.name.is_empty() && !element.name.contains('<'), "a tag without a name");
    rest = &rest[name..];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return (element, true, after);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (element, false, after);
        }
        let (key, after) = rest.split_once('=').expect("an attribute's value");
        let quote = after.chars().next().unwrap();
        assert!(quote == '"' || quote == '\'', "an attribute without quotes");
        let end = after[1..].find(quote).expect("the attribute's end");
        let value = &after[1..=end];
        assert!(!value.contains('<'), "an attribute with <");
        let key = key.trim().to_owned();
        assert!(element.attribute(&key).is_none(), "the attribute {key} twice");
        element.attributes.push((key, unescape(value)));
        rest = &after[end + 2..];
    }
}

fn unescape(text: &str) -> String {
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'),
        "a control character"
    );
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        let end = at + rest[at..].find(';').expect("a reference's end");
        plain.push_str(match &rest[at + 1..end] {
            "amp" => "&",
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "#39" => "'",
            "#91" => "[",
            other => panic!("the reference {other}"),
        });
        rest = &rest[end + 1..];
    }
    plain + rest
}
