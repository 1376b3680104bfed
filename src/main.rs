//! The program. Everything it does stands in the library; see `tollgate::app`.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// A call over HTTP/2 allocates some dozens of times (docs/performance.md).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    tollgate::app::run()
}
