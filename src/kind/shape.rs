//! Owns the shapes that keys may have: one table serves parsing, diagnostics and the JSON schema.
//! Does not know TOML.

/// What a key's value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text (a template unless the key says otherwise).
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    Bool,
    /// A whole number, at least this.
    Int(i64),
    /// `10s`, `5m`, `1h30m`.
    Duration,
    /// A file mode: `"0644"`.
    Mode,
    /// One text or a list of texts.
    Texts,
    /// One argv or a list of argvs.
    Argvs,
    /// A table or value of any shape, its texts templates.
    Tree,
    /// A table whose values are texts.
    TextTable,
    /// A table, or a list of tables, with these keys.
    Tables(&'static [KeySpec]),
    /// A table with these keys.
    Table(&'static [KeySpec]),
}

/// When a key's templates are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// With the graph: may read `vars`, `env`, `item`, `matrix` only.
    Graph,
    /// Before the task starts: may read values of other tasks too.
    Start,
    /// Before the task starts, secrets allowed.
    StartSecret,
}

/// One key of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    pub name: &'static str,
    pub shape: Shape,
    pub when: When,
    pub needed: Needed,
    /// For the schema and the docs, one sentence.
    pub doc: &'static str,
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    Yes,
    No,
}

impl KeySpec {
    /// An optional key.
    pub const fn new(name: &'static str, shape: Shape, when: When, doc: &'static str) -> Self {
        Self { name, shape, when, needed: Needed::No, doc }
    }

    /// A key that must be there.
    pub const fn needed(name: &'static str, shape: Shape, when: When, doc: &'static str) -> Self {
        Self { name, shape, when, needed: Needed::Yes, doc }
    }
}
