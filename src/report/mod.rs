//! Owns what people and machines see: runs while they happen, answers to questions, mistakes.
//! Does not know how any of it came about: imports only `model` and `event`, reads nothing.

pub mod diagnostics;
pub mod doctor;
pub mod failure;
pub mod flow;
pub mod folded;
pub mod graph;
pub mod history;
pub mod hush;
pub mod json;
pub mod junit;
pub mod kept;
pub mod live;
pub mod outputs;
pub mod paint;
pub mod plain;
pub mod reason;
pub mod select;
pub mod show;
pub mod story;
pub mod svg;
pub mod tables;
pub mod text;
pub mod view;
pub mod why;
