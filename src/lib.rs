//! `infra`: a build system for infrastructure. The library part serves the program and its tests.

pub mod cli;
pub mod command;
pub mod engine;
pub mod event;
pub mod host;
pub mod import;
pub mod kind;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod report;
pub mod template;
