//! Owns the way from other tools' tasks to ours: what a tool says of its own file becomes drafts, drafts become
//! the text of a task file, and what could not be carried over is said. What a folder holds that has no tasks yet
//! becomes proposals.
//! Does not know how a tool is asked, nor where the text goes (`command/import`).

mod calls;
pub mod doit;
pub mod draft;
mod environment;
pub mod found;
pub mod just;
mod late;
mod lines;
pub mod make;
mod name;
mod order;
mod script;
pub mod settle;
pub mod taskfile;
pub mod text;
