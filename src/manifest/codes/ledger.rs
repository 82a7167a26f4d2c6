//! 08xx: ledger and policy memory.

codes! {}
