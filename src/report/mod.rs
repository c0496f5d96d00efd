//! Owns what people and machines see: runs while they happen, answers to questions, mistakes.
//! Does not know how any of it came about: imports only `model` and `event`, reads nothing.

pub mod diagnostics;
pub mod json;
pub mod paint;
pub mod reason;
pub mod text;
