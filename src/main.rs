//! The program. Everything it does stands in the library; see `tollgate::app`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollgate::app::run()
}
