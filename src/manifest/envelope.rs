//! The envelope of every YAML document (CONTRACT.md section 1): `apiVersion`, `kind`, `metadata.name`, `spec`.

use super::codes::files::{API_VERSION, NAME, NOT_A_DOCUMENT, UNKNOWN_KIND, WRONG_DIRECTORY};
use super::reader::{Fields, Report, Text, alternatives, did_you_mean};
use super::source::SourceKind;
use super::tree::{Kind, Mark, Node};
use crate::model::Name;

/// The only version of the format.
pub const VERSION: &str = "amparo/v1";

/// The kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// A table and what its columns mean.
    Dataset,
    /// How identities of one namespace are written, compared and expanded.
    Namespace,
    /// What must be kept from erasure.
    Hold,
    /// Who may see what.
    Role,
    /// The deployment's settings.
    Settings,
    /// A request, in the request directory.
    SubjectRequest,
    /// That a person has looked at what a task would do, in the directory of approvals.
    Approval,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Dataset,
        Self::Namespace,
        Self::Hold,
        Self::Role,
        Self::Settings,
        Self::SubjectRequest,
        Self::Approval,
    ];

    /// As documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dataset => "Dataset",
            Self::Namespace => "Namespace",
            Self::Hold => "Hold",
            Self::Role => "Role",
            Self::Settings => "Settings",
            Self::SubjectRequest => "SubjectRequest",
            Self::Approval => "Approval",
        }
    }

    /// The directory it belongs in.
    pub const fn place(self) -> SourceKind {
        match self {
            Self::SubjectRequest => SourceKind::Request,
            Self::Approval => SourceKind::Approval,
            _ => SourceKind::Policy,
        }
    }
}

/// A document's envelope.
#[derive(Debug)]
pub struct Envelope<'n> {
    /// Its kind, of the directory that it was found in.
    pub kind: DocumentKind,
    /// `metadata.name` and where it stands; `None` where it is missing or wrong, which has been reported.
    pub name: Option<(Name, Mark)>,
    /// `spec`; `None` where it is missing, which has been reported.
    pub spec: Option<&'n Node>,
    /// Where the document starts.
    pub at: Mark,
}

/// Reads the envelope of a document that was found in a file of the report's kind. `None` where it cannot be told what
/// the document is: another version, another kind, the wrong directory; that has been reported.
pub fn read<'n>(report: &mut Report<'_>, node: &'n Node) -> Option<Envelope<'n>> {
    if !matches!(node.kind, Kind::Map(_)) {
        let message = format!("a document must be a mapping, and {} stands there", node.describe());
        report
            .error(NOT_A_DOCUMENT, node.at, message)
            .help("start it with `apiVersion: amparo/v1`, `kind`, `metadata` and `spec`");
        return None;
    }
    let mut fields = Fields::open(report, node, "the document")?;
    let version = fields.required_text(report, "apiVersion");
    let kind = fields.required_text(report, "kind");
    let metadata = fields.required(report, "metadata");
    let spec = fields.required(report, "spec");
    fields.finish(report);

    if let Some(version) = version.filter(|version| version.text != VERSION) {
        let found = report.quote(version.text);
        report
            .error(API_VERSION, version.at, format!("{found} is no known version of the format"))
            .help(format!("write `apiVersion: {VERSION}`"));
        return None;
    }
    let kind = kind.and_then(|kind| read_kind(report, kind));
    let name = metadata.and_then(|metadata| read_name(report, metadata));
    Some(Envelope { kind: kind?, name, spec, at: node.at })
}

fn read_kind(report: &mut Report<'_>, found: Text<'_>) -> Option<DocumentKind> {
    let place = report.kind();
    let Some(kind) = DocumentKind::ALL.into_iter().find(|kind| kind.as_str() == found.text) else {
        let all = DocumentKind::ALL.map(DocumentKind::as_str);
        let here: Vec<&str> = DocumentKind::ALL
            .into_iter()
            .filter(|k| k.place() == place)
            .map(|k| k.as_str())
            .collect();
        let near = did_you_mean(found.text, &all);
        let hint = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        let message = format!("{} is no kind of document", report.quote(found.text));
        let help = match place {
            SourceKind::Policy => {
                format!("{hint}The kinds of policies are {}", alternatives(&here))
            }
            SourceKind::Request => format!("{hint}Requests are of kind {}", alternatives(&here)),
            SourceKind::Approval => format!("{hint}Approvals are of kind {}", alternatives(&here)),
        };
        report.error(UNKNOWN_KIND, found.at, message).help(help);
        return None;
    };
    if kind.place() == place {
        return Some(kind);
    }
    let among = match place {
        SourceKind::Policy => "policies",
        SourceKind::Request => "requests",
        SourceKind::Approval => "approvals",
    };
    let article = if kind == DocumentKind::Approval { "an" } else { "a" };
    let message = format!("{article} {} among the {among}", kind.as_str());
    let help = match kind.place() {
        SourceKind::Policy => "move the file to the policy directory (`--policies`)",
        SourceKind::Request => "move the file to the request directory (`--requests`)",
        SourceKind::Approval => "move the file to the directory of approvals (`--approvals`)",
    };
    report.error(WRONG_DIRECTORY, found.at, message).help(help);
    None
}

fn read_name(report: &mut Report<'_>, metadata: &Node) -> Option<(Name, Mark)> {
    let mut fields = Fields::open(report, metadata, "`metadata`")?;
    let name = fields.required_text(report, "name");
    fields.finish(report);
    let name = name?;
    match Name::new(name.text) {
        Ok(valid) => Some((valid, name.at)),
        Err(error) => {
            let message = format!("{} is no document's name", report.quote(name.text));
            report.error(NAME, name.at, message).help(format!("it {error}"));
            None
        }
    }
}
