//! Masked source lines of request files.
