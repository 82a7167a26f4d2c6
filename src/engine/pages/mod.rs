//! Pages of a column chunk, below what `parquet` hands out: headers that are checked before a page is
//! decompressed, and levels and dictionary indices without an allocation a value.

pub(crate) mod form;
pub(crate) mod header;
pub(crate) mod hybrid;
pub(crate) mod index;
pub(crate) mod thrift;
