//! Owns the schema of the store and its migrations: forward only, each in one transaction.
//! Does not know what the rows mean.

use crate::host::store::StoreError;
use camino::Utf8Path;
use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

/// Number of the newest schema; `PRAGMA user_version`.
pub const VERSION: i64 = 1;

const V1: &str = "
CREATE TABLE task (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    env TEXT NOT NULL, targets TEXT NOT NULL, options TEXT NOT NULL, command TEXT NOT NULL,
    pid INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER,
    exit INTEGER, counts TEXT
);
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL REFERENCES task(id), env TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES run(id), effect TEXT NOT NULL, phase TEXT NOT NULL,
    began INTEGER NOT NULL DEFAULT 0, started INTEGER NOT NULL, ended INTEGER,
    fingerprint BLOB, message TEXT, exit_code INTEGER, signal INTEGER,
    log TEXT, reasons TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX attempt_task ON attempt(env, task, id);
CREATE INDEX attempt_open ON attempt(phase) WHERE phase = 'open';
CREATE TABLE memo (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    task INTEGER NOT NULL REFERENCES task(id), env TEXT NOT NULL,
    run INTEGER NOT NULL, attempt INTEGER NOT NULL, effect TEXT NOT NULL,
    format INTEGER NOT NULL, fingerprint BLOB NOT NULL, manifest BLOB NOT NULL,
    artifacts TEXT NOT NULL, exports TEXT NOT NULL, built_on TEXT NOT NULL,
    created INTEGER NOT NULL, seconds REAL NOT NULL, void TEXT
);
CREATE INDEX memo_task ON memo(env, task, id);
CREATE INDEX memo_fingerprint ON memo(task, fingerprint);
CREATE TABLE world (
    task INTEGER NOT NULL REFERENCES task(id), env TEXT NOT NULL,
    token TEXT, taint INTEGER, changed_in INTEGER,
    incarnations TEXT NOT NULL DEFAULT '[]', notes TEXT NOT NULL DEFAULT '{}',
    began INTEGER, undo_began INTEGER, undo TEXT, rerun_allowed INTEGER NOT NULL DEFAULT 0,
    seconds REAL, probe_ok INTEGER, probe_at INTEGER, probe_text TEXT,
    PRIMARY KEY (task, env)
) WITHOUT ROWID;
CREATE TABLE subject (
    subject TEXT PRIMARY KEY, task INTEGER NOT NULL, env TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE event (
    run INTEGER NOT NULL, seq INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE TABLE file (
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL,
    ino INTEGER NOT NULL, mode INTEGER NOT NULL, digest BLOB NOT NULL, racy INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE tool (
    program TEXT PRIMARY KEY, sig TEXT NOT NULL, version TEXT NOT NULL
) WITHOUT ROWID;
";

/// Brings a store to the newest schema.
pub fn migrate(connection: &mut Connection, path: &Utf8Path) -> Result<(), StoreError> {
    Migrations::new(vec![M::up(V1)])
        .to_latest(connection)
        .map_err(|error| StoreError::Migration { path: path.to_owned(), why: error.to_string() })
}
