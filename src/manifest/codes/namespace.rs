//! 02xx: namespaces.

codes! {}
