/** Whether a database has all that our statements need: a restore may have been incomplete, or somebody dropped or renamed something. */
import postgres from "postgres";
import type { Sql } from "../../postgres/connect.ts";

/** The database cannot be used as it is, and trying again does not help; the message is one clear line. */
export class UnusableSchema extends Error {
  override readonly name: string = "UnusableSchema";
  /** A few words for `/readyz`. */
  readonly state: string;
  constructor(message: string, { state }: { state: string }) {
    super(message);
    this.state = state;
  }
}

/** What statements read and write; a test compares it with the tables that `applySchema` makes. */
export const neededColumns = {
  api_tokens: ["id", "hash", "user_id", "name", "scopes", "created_ms", "expires_ms"],
  deleted_api_tokens: ["hash", "deleted_ms"],
  erasures: ["user_id", "erased_ms"],
  keys: ["number", "kid", "private_jwk", "created_ms"],
  refresh_tokens: ["hash", "session_id", "parent", "spent_ms"],
  reset_tokens: ["hash", "user_id", "expires_ms"],
  schema_version: ["version"],
  sessions: ["id", "user_id", "user_agent", "created_ms", "used_ms", "expires_ms", "ended_ms"],
  users: ["id", "email", "email_key", "name", "password_hash", "created_ms"],
} as const satisfies Record<string, readonly string[]>;

/** Columns whose values statements rely on to be there once: `ON CONFLICT` needs them, and who is looked up by them is one. */
export const uniqueColumns = {
  api_tokens: ["hash", "id"],
  deleted_api_tokens: ["hash"],
  erasures: ["user_id"],
  keys: ["kid", "number"],
  refresh_tokens: ["hash"],
  reset_tokens: ["hash", "user_id"],
  sessions: ["id"],
  users: ["email_key", "id"],
} as const satisfies Partial<Record<keyof typeof neededColumns, readonly string[]>>;

const neededFunction = "rotate_refresh_token(text,text,bigint,bigint,bigint)";

/** What PostgreSQL answers to a step of the schema whose ground is not as its version says: something is missing, or is there already. */
const contradictions = new Set(["42P01", "42703", "42704", "42883", "42P07", "42723", "P0002", "P0003"]);

function incomplete(what: string): UnusableSchema {
  return new UnusableSchema(
    `Cannot use the database: ${what}; restore it from a complete backup, or undo what dropped or renamed it, and start again`,
    { state: "incomplete schema" },
  );
}

/** The failure as an `UnusableSchema` where the database contradicts its own version, else as it is. */
export function orIncomplete(failure: unknown): unknown {
  return failure instanceof postgres.PostgresError && contradictions.has(failure.code)
    ? incomplete(`its tables are not those of its schema version (${failure.message})`)
    : failure;
}

/** Throws an `UnusableSchema` that names the first table, column, function, constraint or key that is missing. */
export async function checkSchema(sql: Sql): Promise<void> {
  // Looked up as statements look them up: along the search path.
  const missing = await sql<{ table: string; column: string; exists: boolean }>`
SELECT needed.key AS table, col AS column, to_regclass(needed.key) IS NOT NULL AS exists
FROM json_each(${JSON.stringify(neededColumns)}::text::json) AS needed, json_array_elements_text(needed.value) AS col
WHERE NOT EXISTS (
  SELECT FROM pg_attribute a
  WHERE a.attrelid = to_regclass(needed.key) AND a.attname = col AND a.attnum > 0 AND NOT a.attisdropped
)
ORDER BY 1, 2`;
  const [first] = missing;
  if (first !== undefined)
    throw incomplete(
      first.exists
        ? `the column "${first.column}" of the table "${first.table}" is missing`
        : `the table "${first.table}" is missing`,
    );
  const [others] = await sql<{ hasFunction: boolean; hasConstraint: boolean }>`
SELECT to_regprocedure(${neededFunction}::text) IS NOT NULL AS "hasFunction",
  EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass('users') AND conname = 'email_taken') AS "hasConstraint"`;
  if (others?.hasFunction !== true) throw incomplete(`the function ${neededFunction} is missing`);
  if (others.hasConstraint !== true) throw incomplete('the constraint "email_taken" of the table "users" is missing');
  // A dump that was restored without its last part has all tables and no keys.
  const [repeatable] = await sql<{ table: string; column: string }>`
SELECT needed.key AS table, col AS column
FROM json_each(${JSON.stringify(uniqueColumns)}::text::json) AS needed, json_array_elements_text(needed.value) AS col
WHERE NOT EXISTS (
  SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = to_regclass(needed.key) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
    AND a.attname = col
)
ORDER BY 1, 2`;
  if (repeatable !== undefined)
    throw incomplete(
      `no key or unique index sees to it that "${repeatable.column}" of the table "${repeatable.table}" is there once`,
    );
}
