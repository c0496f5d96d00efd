//! The nouns of the program: names, ids, digests, values, tasks, graph, environment, records.
//! Imports nothing of ours outside this folder and does no I/O.

pub mod action;
pub mod diagnostic;
pub mod digest;
pub mod effect;
pub mod environment;
pub mod facts;
pub mod graph;
pub mod manifest;
pub mod name;
pub mod path;
pub mod probe;
pub mod project;
pub mod reason;
pub mod record;
pub mod task;
pub mod text;
pub mod value;
