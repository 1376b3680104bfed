//! Figures: what calls cost with three nodes and with one, and what millions of tokens change.
//!
//! CPU is what the kernel says that a process has used, so that it means the same on a busy machine; times and
//! throughput do not. All figures of one table are of one run.

mod calls;
mod growth;
pub mod load;
pub mod loader;
mod quota;

/// The tables, in Markdown. `tokens`: how many the database is filled with.
pub async fn tables(tokens: usize) -> String {
    let calls = calls::table().await;
    println!("{calls}");
    let growth = growth::table(tokens).await;
    println!("{growth}");
    format!("{calls}\n{growth}")
}
