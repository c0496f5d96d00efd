//! Owns all input and output: processes, files, the content-addressed store, locks, secrets, clock, watch.
//! Does not know the graph, freshness, or tokio: everything here is synchronous.

pub mod check;
pub mod mask;
pub mod process;
pub mod signals;
pub mod store;
