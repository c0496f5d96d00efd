//! Owns judgement: fingerprint, verdict, plan, schedule. Pure: what it must know of the world it asks
//! of `model::facts::Facts`.
//! Does no I/O and knows no time but the one that `Facts` tells.

pub mod board;
pub mod candidate;
pub mod compare;
pub mod fingerprint;
pub mod forecast;
pub mod recorded;
pub mod schedule;
pub mod scope;
pub mod shown;
pub mod undo;
pub mod verdict;
