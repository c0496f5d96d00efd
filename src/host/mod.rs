//! Owns all I/O, synchronous: files, store, content-addressed store, processes, secrets, locks, clock, watch.
//! Does not know the graph, nor tokio.

pub mod store;
