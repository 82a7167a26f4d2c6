//! 01xx: datasets, fields and labels.

codes! {}
