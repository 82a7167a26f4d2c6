//! What editors use: the modelines and schemas that `init` writes, and the setting of `examples/vscode`.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::Env;

fn init() -> Env {
    let env = Env::new();
    env.run(&["init", "."]).exits(0);
    env
}

#[test]
fn every_yaml_file_of_init_names_a_schema_that_is_there() {
    let env = init();
    let mut kinds = BTreeSet::new();
    for (path, bytes) in env.files(".") {
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        let line = text.lines().next().unwrap();
        let schema = line.strip_prefix("# yaml-language-server: $schema=").unwrap();
        assert!(!schema.contains([' ', '\\', ':']), "a plain relative path: {schema}");
        let schema = path.parent().unwrap().join(schema).canonicalize().unwrap();
        assert!(schema.starts_with(env.root().canonicalize().unwrap()), "{}", schema.display());
        kinds.insert(schema.file_stem().unwrap().to_str().unwrap().to_owned());
    }
    assert_eq!(kinds, ["Policy", "SubjectRequest"].map(str::to_owned).into());
}

#[test]
fn init_writes_every_schema_and_renews_old_ones() {
    let env = init();
    let kinds = env.run(&["schema"]).exits(0).stdout;
    assert_eq!(env.files(".amparo/schemas").len(), kinds.lines().count());
    let schema = |kind: &str| {
        std::fs::read_to_string(env.path(format!(".amparo/schemas/{kind}.json"))).unwrap()
    };
    for kind in kinds.lines() {
        assert_eq!(schema(kind), env.run(&["schema", kind]).exits(0).stdout, "{kind}");
    }
    // Schemas are amparo's own, the rest is the user's.
    env.write(".amparo/schemas/Hold.json", "{}").write("policies/events.yaml", "mine");
    let again = env.run(&["init", "."]).exits(0).stderr;
    assert!(
        again.contains("wrote ./.amparo/schemas/")
            && again.contains("kept  ./policies/events.yaml"),
        "{again}"
    );
    assert_eq!(schema("Hold"), env.run(&["schema", "Hold"]).exits(0).stdout);
    assert_eq!(std::fs::read_to_string(env.path("policies/events.yaml")).unwrap(), "mine");
    let still = env.run(&["init", "."]).exits(0).stderr;
    assert!(still.contains("kept  ./.amparo/schemas/"), "{still}");
    assert_eq!(env.files(".amparo").len(), kinds.lines().count(), "litter");
}

/// Whether VS Code's pattern fits a path relative to the workspace.
fn fits(pattern: &str, path: &str) -> bool {
    let escaped = regex::escape(pattern.trim_start_matches('/'));
    let expression = escaped.replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*");
    regex::Regex::new(&format!("^{expression}$")).unwrap().is_match(path)
}

#[test]
fn the_setting_for_vs_code_fits_what_init_writes() {
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/vscode/settings.json");
    let settings: serde_json::Value =
        serde_json::from_slice(&std::fs::read(text).unwrap()).unwrap();
    let mut rules: Vec<(String, String)> = Vec::new();
    let strings = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect()
    };
    for (schema, patterns) in settings["yaml.schemas"].as_object().unwrap() {
        rules.extend(strings(patterns).into_iter().map(|pattern| (pattern, schema.clone())));
    }
    for rule in settings["json.schemas"].as_array().unwrap() {
        let url = rule["url"].as_str().unwrap().to_owned();
        rules.extend(strings(&rule["fileMatch"]).into_iter().map(|pattern| (pattern, url.clone())));
    }
    let env = init();
    for (_, schema) in &rules {
        assert!(env.path(schema).is_file(), "init does not write {schema}");
    }
    let schema_of = |path: &str| -> Vec<&str> {
        let fitting = rules.iter().filter(|(pattern, _)| fits(pattern, path));
        fitting
            .map(|(_, schema)| Path::new(schema).file_stem().unwrap().to_str().unwrap())
            .collect()
    };
    for (path, kind) in [
        ("policies/events.yaml", "Policy"),
        ("policies/eu/holds.yml", "Policy"),
        ("requests/2026-11-acme.yaml", "SubjectRequest"),
        ("requests/2026/11/acme.yml", "SubjectRequest"),
        ("requests/adobe.json", "AdobeRequest"),
        ("approvals/acme.yaml", "Approval"),
    ] {
        assert_eq!(schema_of(path), [kind], "{path}");
    }
    let root = env.root().canonicalize().unwrap();
    for path in env.files(".").into_keys() {
        let path = path.canonicalize().unwrap();
        let path = path.strip_prefix(&root).unwrap().to_str().unwrap();
        let known = usize::from(path.ends_with(".yaml"));
        assert_eq!(schema_of(path).len(), known, "{path}");
    }
}
