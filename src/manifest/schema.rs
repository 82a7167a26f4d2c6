//! JSON Schemas of every kind.
