//! 05xx: holds and settings.

codes! {}
