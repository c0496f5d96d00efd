//! `infra`: a build system for infrastructure. The library part serves the program and its tests.

pub mod event;
pub mod kind;
pub mod manifest;
pub mod model;
pub mod template;
