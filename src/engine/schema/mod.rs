//! The schema of Parquet files as rules see it: leaves with logical paths, and their union over the
//! files of a dataset (RULES.md section 1).

mod kind;
mod layout;
#[cfg(test)]
mod tests;
mod union;
mod widen;

pub(crate) use kind::leaf_type;
pub(crate) use layout::{FileLeaf, layout};
pub(crate) use union::Union;
pub(crate) use widen::widen;
