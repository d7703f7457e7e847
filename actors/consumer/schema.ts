/**
 * The SQLite file of tasks. The log is the truth; all other tables are a function of it (rebuild.ts).
 *
 * Ids are the 16 bytes of the UUID (model/uuid-bytes.ts) and instants are epoch milliseconds: narrow keys are what makes eight indexes affordable.
 * A task's row number is the log position of its creation, so that a rebuild gives it the same number.
 */

/** "TASK" in ASCII, so that the file tells whose it is. */
export const applicationId = 0x5441534b;
/** Raised by every change of the tables. */
export const schemaVersion = 2;

/** The log, which is also the record of operations: an exact repeat is not logged again. `code` is why it was refused (null: applied), `version` the task's version after it. */
const log = `
CREATE TABLE log (position INTEGER PRIMARY KEY, operation_id BLOB NOT NULL UNIQUE, command TEXT NOT NULL, code TEXT, version INTEGER);
`;

const erased =
  "CREATE TABLE erased (id BLOB PRIMARY KEY, position INTEGER NOT NULL, scrubbed INTEGER NOT NULL, done INTEGER NOT NULL) WITHOUT ROWID;";

/** What is made from the log. */
export const readModel = `
CREATE TABLE owners (owner INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE tasks (
  task INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, owner INTEGER NOT NULL, deleted INTEGER NOT NULL, version INTEGER NOT NULL,
  position INTEGER NOT NULL, undoable INTEGER NOT NULL, status TEXT NOT NULL, priority INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, due_at INTEGER, title TEXT NOT NULL, json TEXT NOT NULL
);
CREATE INDEX tasks_by_created ON tasks (owner, deleted, created_at, id);
CREATE INDEX tasks_by_updated ON tasks (owner, deleted, updated_at, id);
CREATE INDEX tasks_by_due ON tasks (owner, deleted, due_at, id);
CREATE INDEX tasks_by_priority ON tasks (owner, deleted, priority, id);
CREATE INDEX tasks_by_title ON tasks (owner, deleted, title, id);
CREATE INDEX tasks_by_state ON tasks (owner, deleted, status, priority);
CREATE TABLE history (
  task INTEGER NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL, undo_before INTEGER NOT NULL, json TEXT NOT NULL,
  PRIMARY KEY (task, version)
) WITHOUT ROWID;
${erased}
CREATE VIRTUAL TABLE terms USING fts5 (spelled, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');
`;

export const dropReadModel = ["terms", "erased", "history", "tasks", "owners"]
  .map((table) => `DROP TABLE IF EXISTS ${table};`)
  .join("\n");

/** For a file of version n, the steps from the n-th on bring it to the newest. */
export const upgrades = [erased];

export const schema = `${log}${readModel}PRAGMA application_id = ${applicationId};PRAGMA user_version = ${schemaVersion};`;
