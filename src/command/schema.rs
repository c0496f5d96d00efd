//! Owns `infra schema`: JSON Schema of what users write.
//! Does not know the keys (`manifest/` has them, from the tables that parse).

use crate::cli::{SchemaArgs, SchemaFile};
use crate::command::context::Context;
use crate::manifest;

/// Prints the schema of one file, or both in one document.
pub fn schema(context: &Context, args: SchemaArgs) -> u8 {
    let schema = match args.file {
        Some(SchemaFile::Project) => manifest::schema_project(),
        Some(SchemaFile::Tasks) => manifest::schema_tasks(),
        None => serde_json::json!({ "project": manifest::schema_project(), "tasks": manifest::schema_tasks() }),
    };
    context.out(&serde_json::to_string_pretty(&schema).unwrap_or_default());
    0
}
