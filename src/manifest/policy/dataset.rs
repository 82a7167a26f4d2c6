//! Dataset documents (CONTRACT.md section 1).

use std::collections::HashMap;

use super::field::{self, FieldDoc};
use crate::manifest::codes::dataset::{
    DELETE_DEFAULT, DUPLICATE_PATH, ENVIRONMENT, FORMAT, HARD_CODED_IN_TEST, LOCATION, PRODUCT,
};
use crate::manifest::codes::files::NOT_ONE_OF;
use crate::manifest::envelope::Envelope;
use crate::manifest::reader::{Fields, Report, Text, list};
use crate::manifest::tree::{Mark, Node};
use crate::model::{
    Dataset, DeleteDefaults, Environment, EraseMethod, EraseMode, FieldPath, NamespaceName,
    Product, Unlabelled,
};

/// A dataset and the places in its document that later checks point at.
pub(super) struct DatasetDoc {
    pub(super) dataset: Dataset,
    /// In the order of [`Dataset::fields`].
    pub(super) fields: Vec<FieldDoc>,
    /// Its name.
    pub(super) at: Mark,
    /// Whether it was read without an error.
    pub(super) whole: bool,
}

/// Reads a Dataset. `None` where too little of it can be read to speak of a dataset.
pub(super) fn read(report: &mut Report<'_>, envelope: &Envelope<'_>) -> Option<DatasetDoc> {
    let before = report.errors();
    let mut spec = Fields::open(report, envelope.spec?, "`spec`")?;
    let product = spec.required_text(report, "product");
    let source = spec.text(report, "source");
    let environment = spec.choice(
        report,
        "environment",
        &[("production", Environment::Production), ("test", Environment::Test)],
    );
    let location = spec.required_text(report, "location");
    let format = spec.text(report, "format");
    let timestamp = spec.get("timestamp");
    let hit_id = spec.get("hitId");
    let erase =
        spec.choice(report, "erase", &[("fields", EraseMode::Fields), ("rows", EraseMode::Rows)]);
    let defaults = spec.nested(report, "deleteDefaults");
    let unlabelled = spec.choice(
        report,
        "unlabelled",
        &[("allow", Unlabelled::Allow), ("deny", Unlabelled::Deny)],
    );
    let may_be_empty = spec.flag(report, "mayBeEmpty").unwrap_or_default();
    let same_subject = spec.flag(report, "sameSubject").unwrap_or_default();
    let fields = spec.required(report, "fields");
    spec.finish(report);

    let product = product.and_then(|product| read_product(report, product));
    let location = location.and_then(|location| read_location(report, location));
    if let Some(format) = format {
        read_format(report, format);
    }
    let timestamp = timestamp.and_then(|node| field::path(report, node));
    let hit_id = hit_id.and_then(|node| field::path(report, node));
    let delete_defaults =
        defaults.map(|defaults| read_defaults(report, defaults)).unwrap_or_default();
    let environment = environment.unwrap_or_default();
    let fields = fields.map(|node| read_fields(report, node)).unwrap_or_default();
    for doc in &fields {
        if let Some(namespace) = &doc.field.namespace {
            check_environment(report, environment, namespace, doc.namespace_at);
        }
    }

    let (name, at) = envelope.name.clone()?;
    let dataset = Dataset {
        product: product?,
        source: source.map_or_else(|| name.as_str().to_owned(), |source| source.text.to_owned()),
        name,
        environment,
        location: location?,
        timestamp,
        hit_id,
        erase: erase.unwrap_or_default(),
        delete_defaults,
        unlabelled: unlabelled.unwrap_or_default(),
        may_be_empty,
        same_subject,
        fields: fields.iter().map(|doc| doc.field.clone()).collect(),
        position: report.position(envelope.at),
    };
    Some(DatasetDoc { dataset, fields, at, whole: report.errors() == before })
}

fn read_product(report: &mut Report<'_>, found: Text<'_>) -> Option<Product> {
    match Product::new(found.text) {
        Ok(product) => Some(product),
        Err(error) => {
            let message = format!("{} is no product name", report.quote(found.text));
            report.error(PRODUCT, found.at, message).help(format!("it {error}"));
            None
        }
    }
}

/// A location that names local files: a path, a glob, or a `file://` URL.
pub(super) fn read_location(report: &mut Report<'_>, found: Text<'_>) -> Option<String> {
    match local(found.text) {
        Ok(()) => Some(found.text.to_owned()),
        Err(problem) => {
            report.error(LOCATION, found.at, problem).help(
                "write a file, a directory or a glob on this machine, relative or absolute, or file:///…",
            );
            None
        }
    }
}

/// Whether a text names something on this machine, else what is wrong with it.
pub(super) fn local(location: &str) -> Result<(), String> {
    if location.chars().any(char::is_control) {
        return Err("a control character in a location".to_owned());
    }
    if location.trim() != location {
        return Err("white space around a location".to_owned());
    }
    match location.split_once("://") {
        None => Ok(()),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => match rest.strip_prefix('/')
        {
            Some(path) if !path.is_empty() => Ok(()),
            _ => Err("a file URL without an absolute path".to_owned()),
        },
        Some((scheme, _)) => match scheme.to_lowercase().as_str() {
            "s3" | "s3a" | "gs" | "az" | "abfs" | "abfss" | "adl" | "wasb" | "wasbs" | "hdfs"
            | "http" | "https" => Err(format!("{}:// is not supported yet", scheme.to_lowercase())),
            _ => Err("a URL of an unknown kind".to_owned()),
        },
    }
}

fn read_format(report: &mut Report<'_>, found: Text<'_>) {
    match found.text {
        "parquet" => {}
        "delta" | "iceberg" => report
            .error(FORMAT, found.at, format!("format {} is not supported yet", found.text))
            .help("its old versions would keep what is erased; only `parquet` works today"),
        _ => {
            let message = format!("{} is no table format", report.quote(found.text));
            report.error(NOT_ONE_OF, found.at, message).help("write `format: parquet`");
        }
    }
}

fn read_defaults(report: &mut Report<'_>, mut defaults: Fields<'_>) -> DeleteDefaults {
    use EraseMethod::{Coarsen, Empty, Null, Pseudonym, StripUrl};
    let strings = defaults.get("strings");
    let others = defaults.get("others");
    defaults.finish(report);
    let standard = DeleteDefaults::default();
    DeleteDefaults {
        strings: read_default(report, strings, "`strings`", &[Pseudonym, Null, Empty, StripUrl])
            .unwrap_or(standard.strings),
        others: read_default(report, others, "`others`", &[Pseudonym, Null, Empty, Coarsen])
            .unwrap_or(standard.others),
    }
}

fn read_default(
    report: &mut Report<'_>,
    node: Option<&Node>,
    what: &str,
    allowed: &[EraseMethod],
) -> Option<EraseMethod> {
    let node = node?;
    let method = field::method(report, node, what)?;
    if allowed.contains(&method) {
        return Some(method);
    }
    let words: Vec<&str> = allowed.iter().map(|method| method.as_str()).collect();
    report
        .error(DELETE_DEFAULT, node.at, format!("`{method}` cannot be the default for {what}"))
        .help(format!("it takes {}", crate::manifest::reader::alternatives(&words)));
    None
}

fn read_fields(report: &mut Report<'_>, node: &Node) -> Vec<FieldDoc> {
    let nodes = list(report, node, "`fields`").unwrap_or_default();
    let docs: Vec<FieldDoc> = nodes.iter().filter_map(|node| field::read(report, node)).collect();
    let mut first: HashMap<&FieldPath, Mark> = HashMap::new();
    for doc in &docs {
        if let Some(earlier) = first.get(&doc.field.path) {
            report
                .error(
                    DUPLICATE_PATH,
                    doc.path_at,
                    format!("the field {} is there twice", doc.field.path),
                )
                .help(format!("put it into one entry; the first is on line {}", earlier.line));
        } else {
            first.insert(&doc.field.path, doc.path_at);
        }
    }
    docs
}

/// Test datasets carry `qa-` namespaces only, production datasets none; the hard-coded ones have no
/// `qa-` form (RULES.md section 2).
fn check_environment(
    report: &mut Report<'_>,
    environment: Environment,
    namespace: &NamespaceName,
    at: Mark,
) {
    if refuse_qa_of_hard_coded(report, namespace, at) {
        return;
    }
    match (environment, namespace.hard_coded()) {
        (Environment::Test, Some(hard)) => report
            .error(HARD_CODED_IN_TEST, at, format!("a test dataset carries {hard}"))
            .help(format!(
                "production requests for {hard} would reach it; use a custom `qa-` namespace"
            )),
        (Environment::Test, None) if !namespace.is_qa() => report
            .error(ENVIRONMENT, at, format!("a test dataset carries `{namespace}`"))
            .help(format!("write `qa-{namespace}`, or make it `environment: production`")),
        (Environment::Production, _) if namespace.is_qa() => report
            .error(ENVIRONMENT, at, format!("a production dataset carries `{namespace}`"))
            .help("remove `qa-`, or make it `environment: test`"),
        _ => {}
    }
}

/// Refuses `qa-AAID` and its like. Whether it did.
pub(super) fn refuse_qa_of_hard_coded(
    report: &mut Report<'_>,
    namespace: &NamespaceName,
    at: Mark,
) -> bool {
    let Some(hard) = namespace.without_qa().and_then(|base| base.hard_coded()) else {
        return false;
    };
    report
        .error(HARD_CODED_IN_TEST, at, format!("{hard} has no `qa-` form"))
        .help("its cookies are made by the browser, not for tests; use a custom namespace such as `qa-cookie`");
    true
}
