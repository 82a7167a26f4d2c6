//! Requests: text → model.
