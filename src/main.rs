//! The `amparo` binary: everything lives in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    amparo::cli::main()
}
