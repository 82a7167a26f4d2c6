//! 03xx, 04xx and 07xx: requests, their values and blocks, Adobe JSON.

codes! {}
