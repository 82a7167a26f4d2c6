//! 06xx: data held against policies (`check --data`).

codes! {}
