//! From a field's erase rule, or the defaults, to the mask of one leaf; and what a leaf's type can
//! take (RULES.md section 5).

use crate::model::{
    Dataset, EraseMethod, EraseRule, Field, Leaf, LeafType, Namespace, NamespaceName, Settings,
    TimeUnit,
};

use super::Mask;

/// Why a leaf cannot be erased as the policy says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskFault {
    /// The method does not go with the type.
    #[error("{method} cannot be applied to a {kind} column")]
    Type {
        /// The method.
        method: EraseMethod,
        /// The type in words.
        kind: String,
    },
    /// `null`, named by the policy, on a leaf that cannot be null.
    #[error("null cannot be written: the column is required")]
    Required,
    /// The default would be `null`, and the leaf cannot be null.
    #[error("the default method is null, and the column is required")]
    RequiredDefault,
    /// A partition column is not stored in the files.
    #[error("a partition column cannot be erased by rewriting files")]
    Partition,
    /// `remove-element` outside lists and maps.
    #[error("remove-element works in lists and maps only")]
    NotInList,
    /// The constant is missing, or not of the leaf's type. The constant itself is not shown.
    #[error("the constant is not of the column's type, {kind}")]
    Constant {
        /// The type in words.
        kind: String,
    },
    /// `hmac` names no key of Settings.
    #[error("hmac needs a key that Settings names")]
    Key,
}

impl MaskFault {
    /// Whether only the default method is at fault: the policy named none.
    pub const fn is_default(&self) -> bool {
        matches!(self, Self::RequiredDefault)
    }
}

/// The effective method of a leaf: what the policy names for the field always wins; else AAID is
/// replaced in its form, ECID and customVisitorId are emptied, and the rest follows `deleteDefaults`.
///
/// # Errors
/// [`MaskFault`] where the leaf cannot take the method: whoever needs to erase the leaf must fail.
pub fn mask(
    dataset: &Dataset,
    field: &Field,
    leaf: &Leaf,
    settings: &Settings,
) -> Result<Mask, MaskFault> {
    mask_in(dataset, field, leaf, leaf, settings)
}

/// The same in one file, which holds the leaf as `own` says ([`super::DatasetFiles::leaf_in`]): the
/// dataset's type says which method is the default, the file's own must take it.
///
/// # Errors
/// [`MaskFault`], as [`mask`]: whoever needs to erase the leaf in this file must fail.
pub fn mask_in(
    dataset: &Dataset,
    field: &Field,
    leaf: &Leaf,
    own: &Leaf,
    settings: &Settings,
) -> Result<Mask, MaskFault> {
    let method = field.erase.as_ref().map(|rule| rule.method);
    // What is kept on purpose needs nothing of the leaf.
    if method == Some(EraseMethod::Keep) {
        return Ok(kept(field));
    }
    if leaf.partition {
        return Err(MaskFault::Partition);
    }
    if own.kind.is_null() && own.nullable && method != Some(EraseMethod::RemoveElement) {
        // Whatever the method, there is no value that it could change. Of a file in which no value was
        // seen the plan says what it says of the others.
        let elsewhere = (!leaf.kind.is_null()).then(|| mask(dataset, field, leaf, settings));
        return Ok(elsewhere.and_then(Result::ok).unwrap_or(Mask::Null));
    }
    match &field.erase {
        Some(rule) => named(rule, field, own, settings),
        None => by_default(dataset, field, leaf, own, settings),
    }
}

fn by_default(
    dataset: &Dataset,
    field: &Field,
    leaf: &Leaf,
    own: &Leaf,
    settings: &Settings,
) -> Result<Mask, MaskFault> {
    let is_text = |leaf: &Leaf| matches!(leaf.kind, LeafType::Text | LeafType::Binary);
    match field.namespace.as_ref().and_then(NamespaceName::hard_coded) {
        Some("AAID") if is_text(leaf) => {
            return if is_text(own) {
                Ok(Mask::AaidPseudonym)
            } else {
                Err(misfit(EraseMethod::Pseudonym, own))
            };
        }
        Some("ECID" | "customVisitorId") if takes(&leaf.kind, EraseMethod::Empty) => {
            return if takes(&own.kind, EraseMethod::Empty) {
                Ok(Mask::Empty)
            } else {
                Err(misfit(EraseMethod::Empty, own))
            };
        }
        _ => {}
    }
    let defaults = dataset.delete_defaults;
    let method = if leaf.kind == LeafType::Text { defaults.strings } else { defaults.others };
    let rule = EraseRule { method, suffix: None, value: None, key: None };
    named(&rule, field, own, settings).map_err(|fault| match fault {
        MaskFault::Required => MaskFault::RequiredDefault,
        other => other,
    })
}

fn misfit(method: EraseMethod, leaf: &Leaf) -> MaskFault {
    MaskFault::Type { method, kind: leaf.kind.describe() }
}

fn named(
    rule: &EraseRule,
    field: &Field,
    leaf: &Leaf,
    settings: &Settings,
) -> Result<Mask, MaskFault> {
    if !takes(&leaf.kind, rule.method) {
        return Err(misfit(rule.method, leaf));
    }
    Ok(match rule.method {
        EraseMethod::Pseudonym => Mask::Pseudonym {
            prefix: settings.pseudonym_prefix.clone(),
            suffix: rule.suffix.clone().unwrap_or_default(),
        },
        EraseMethod::Null if !leaf.nullable => return Err(MaskFault::Required),
        EraseMethod::Null => Mask::Null,
        EraseMethod::Empty => Mask::Empty,
        EraseMethod::StripUrl => Mask::StripUrl,
        EraseMethod::Coarsen => Mask::Coarsen,
        EraseMethod::Constant => match &rule.value {
            Some(value) if is_of_type(&leaf.kind, value) => Mask::Constant(value.clone()),
            _ => return Err(MaskFault::Constant { kind: leaf.kind.describe() }),
        },
        EraseMethod::Hmac => match &rule.key {
            Some(key) if settings.keys.contains_key(key) => Mask::Hmac { key: key.clone() },
            _ => return Err(MaskFault::Key),
        },
        EraseMethod::RemoveElement if leaf.lists.is_empty() => return Err(MaskFault::NotInList),
        EraseMethod::RemoveElement => Mask::RemoveElement,
        EraseMethod::Keep => kept(field),
    })
}

fn kept(field: &Field) -> Mask {
    let why = field.reason.clone().unwrap_or_else(|| "the policy keeps it".to_owned());
    Mask::Retain { why }
}

/// The table "Methods by type" of RULES.md section 5, but for nullability and lists.
pub fn takes(kind: &LeafType, method: EraseMethod) -> bool {
    use EraseMethod as M;
    if matches!(method, M::Null | M::Keep | M::RemoveElement) {
        return true;
    }
    match kind {
        LeafType::Text => method != M::Coarsen,
        LeafType::Int { bits, .. } => match method {
            M::Pseudonym => *bits == 64,
            method => matches!(method, M::Empty | M::Constant),
        },
        LeafType::Decimal { .. } => matches!(method, M::Empty | M::Constant),
        LeafType::Float => matches!(method, M::Empty | M::Constant | M::Coarsen),
        LeafType::Date | LeafType::Timestamp(_) => matches!(method, M::Coarsen | M::Constant),
        LeafType::Binary | LeafType::FixedBinary(_) | LeafType::Uuid => {
            matches!(method, M::Pseudonym | M::Empty)
        }
        LeafType::Bool => method == M::Constant,
        LeafType::Other(_) => false,
    }
}

/// Whether a constant, as the policy writes it, is a value of that type.
fn is_of_type(kind: &LeafType, value: &str) -> bool {
    let as_key = || {
        let plain = NamespaceName::new("constant").map(|name| Namespace::built_in(&name));
        plain.and_then(|plain| kind.key(&plain, value))
    };
    match kind {
        LeafType::Text => true,
        LeafType::Int { .. } | LeafType::Decimal { .. } | LeafType::Date => as_key().is_some(),
        LeafType::Timestamp(unit) => match as_key() {
            Some(crate::model::Key::Timestamp(nanos)) => fits(*unit, nanos),
            _ => false,
        },
        LeafType::Float => value.trim().parse::<f64>().is_ok_and(f64::is_finite),
        LeafType::Bool => matches!(value.trim(), "true" | "false"),
        LeafType::Uuid | LeafType::Binary | LeafType::FixedBinary(_) | LeafType::Other(_) => false,
    }
}

/// Whether an instant is a whole number of the unit, and that number fits into 64 bits.
fn fits(unit: TimeUnit, nanos: i128) -> bool {
    let size = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    };
    nanos % size == 0 && i64::try_from(nanos / size).is_ok()
}

impl Mask {
    /// The method, as the plan shows it.
    pub const fn method(&self) -> EraseMethod {
        match self {
            Self::Pseudonym { .. } | Self::AaidPseudonym => EraseMethod::Pseudonym,
            Self::Null => EraseMethod::Null,
            Self::Empty => EraseMethod::Empty,
            Self::StripUrl => EraseMethod::StripUrl,
            Self::Coarsen => EraseMethod::Coarsen,
            Self::Constant(_) => EraseMethod::Constant,
            Self::Hmac { .. } => EraseMethod::Hmac,
            Self::RemoveElement => EraseMethod::RemoveElement,
            Self::Retain { .. } => EraseMethod::Keep,
        }
    }

    /// Whether one can tell from a value alone that it has been erased by this mask, so that `verify`
    /// and `standing` can judge it (RULES.md section 5): not for `hmac`, numbers, binary, and
    /// replacements of AAID's form.
    pub const fn is_judged(&self, kind: &LeafType) -> bool {
        match self {
            Self::Pseudonym { .. } => matches!(kind, LeafType::Text),
            Self::AaidPseudonym | Self::Hmac { .. } | Self::Retain { .. } => false,
            Self::Null
            | Self::Empty
            | Self::StripUrl
            | Self::Coarsen
            | Self::Constant(_)
            | Self::RemoveElement => true,
        }
    }
}
