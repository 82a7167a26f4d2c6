//! Storage that fails: for tests of what a crash or a full disk leaves behind.
