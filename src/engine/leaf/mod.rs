//! Reads one leaf of chosen rows from its column chunks: values with their levels, and from them keys
//! and Arrow arrays. Only the pages that hold chosen rows are decompressed where a column is flat.

mod array;
mod key;
mod nest;
mod read;
mod values;

pub(crate) use array::{absent, array};
pub(crate) use key::{key, partition_key};
pub(crate) use nest::{each_place, nest};
pub(crate) use read::{Broken, Reader};
pub(crate) use values::Values;
