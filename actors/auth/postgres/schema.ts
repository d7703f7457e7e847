/** Auth's tables in PostgreSQL, made or brought up to date at start. Text compares byte by byte, as in SQLite; instants are epoch milliseconds of whoever writes. */
import type { Sql } from "../../postgres/connect.ts";
import { checkSchema, orIncomplete, UnusableSchema } from "./schema-check.ts";

const newestKnown = 3;

/** Throws an `UnusableSchema` where the database is a newer program's, or lacks something that statements need. */
export async function applySchema(sql: Sql): Promise<void> {
  try {
    await applySteps(sql);
  } catch (error) {
    throw orIncomplete(error);
  }
  const [row] = await sql<{ version: number }>`SELECT version FROM schema_version`;
  const version = row?.version ?? 0;
  if (version > newestKnown)
    throw new UnusableSchema(
      `Cannot use the database: its schema version ${version} is newer than ${newestKnown}, the newest that this program knows`,
      { state: "made by a newer program" },
    );
  await checkSchema(sql);
}

/**
 * One statement is one transaction, and the lock in it lets one process at a time change the schema: many may start at once.
 * Once released, a version's part stays as it is; the next version adds `IF found < 2 THEN ... END IF;`.
 */
async function applySteps(sql: Sql): Promise<void> {
  await sql`
DO $schema$
DECLARE
  found integer := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(7814001);
  IF to_regclass('schema_version') IS NULL THEN
    CREATE TABLE schema_version (version integer NOT NULL);
    INSERT INTO schema_version VALUES (0);
  ELSE
    SELECT version INTO STRICT found FROM schema_version;
  END IF;

  IF found < 1 THEN
    CREATE TABLE users (
      id text COLLATE "C" PRIMARY KEY, email text COLLATE "C" NOT NULL, email_key text COLLATE "C" NOT NULL CONSTRAINT email_taken UNIQUE,
      name text COLLATE "C", password_hash text COLLATE "C" NOT NULL, created_ms bigint NOT NULL
    );

    CREATE TABLE sessions (
      id text COLLATE "C" PRIMARY KEY, user_id text COLLATE "C" NOT NULL, user_agent text COLLATE "C",
      created_ms bigint NOT NULL, used_ms bigint NOT NULL, expires_ms bigint NOT NULL, ended_ms bigint
    );
    CREATE INDEX sessions_of_user ON sessions (user_id, created_ms);
    CREATE INDEX sessions_by_expiry ON sessions (expires_ms);
    CREATE INDEX sessions_ended ON sessions (ended_ms) WHERE ended_ms IS NOT NULL;

    CREATE TABLE refresh_tokens (
      hash text COLLATE "C" PRIMARY KEY, session_id text COLLATE "C" NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
      parent text COLLATE "C", spent_ms bigint
    );
    CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
    CREATE INDEX refresh_tokens_by_parent ON refresh_tokens (parent);

    CREATE TABLE api_tokens (
      id text COLLATE "C" PRIMARY KEY, hash text COLLATE "C" NOT NULL UNIQUE, user_id text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL,
      scopes text COLLATE "C" NOT NULL, created_ms bigint NOT NULL, expires_ms bigint
    );
    CREATE INDEX api_tokens_of_user ON api_tokens (user_id, created_ms);
    CREATE TABLE deleted_api_tokens (hash text COLLATE "C" PRIMARY KEY, deleted_ms bigint NOT NULL);
    CREATE INDEX deleted_api_tokens_by_time ON deleted_api_tokens (deleted_ms);

    CREATE TABLE keys (
      number integer PRIMARY KEY, kid text COLLATE "C" NOT NULL UNIQUE, private_jwk text COLLATE "C" NOT NULL, created_ms bigint NOT NULL
    );

    -- Spends a refresh token. Its session stays locked meanwhile, and all that is decided is read after that lock, by statements of their own.
    CREATE FUNCTION rotate_refresh_token(presented text, follower text, now_ms bigint, grace_ms bigint, next_expires_ms bigint)
    RETURNS TABLE (outcome text, session sessions) LANGUAGE plpgsql AS $rotate$
    DECLARE
      spent bigint;
    BEGIN
      SELECT s.* INTO session FROM sessions s
        WHERE s.id = (SELECT t.session_id FROM refresh_tokens t WHERE t.hash = presented)
        FOR NO KEY UPDATE;
      IF NOT FOUND OR session.ended_ms IS NOT NULL OR session.expires_ms <= now_ms THEN
        outcome := 'unknown';
        session := NULL;
        RETURN NEXT;
        RETURN;
      END IF;
      SELECT t.spent_ms INTO spent FROM refresh_tokens t WHERE t.hash = presented;
      IF now_ms - spent > grace_ms
        OR spent IS NOT NULL AND EXISTS (SELECT FROM refresh_tokens t WHERE t.parent = presented AND t.spent_ms IS NOT NULL) THEN
        outcome := 'reused';
        UPDATE sessions s SET ended_ms = now_ms WHERE s.id = session.id;
        RETURN NEXT;
        RETURN;
      END IF;
      outcome := 'rotated';
      UPDATE refresh_tokens t SET spent_ms = now_ms WHERE t.hash = presented AND t.spent_ms IS NULL;
      INSERT INTO refresh_tokens (hash, session_id, parent) VALUES (follower, session.id, presented);
      UPDATE sessions s SET used_ms = now_ms, expires_ms = next_expires_ms WHERE s.id = session.id RETURNING s.* INTO session;
      RETURN NEXT;
    END
    $rotate$;
    UPDATE schema_version SET version = 1;
  END IF;

  IF found < 2 THEN
    CREATE TABLE erasures (user_id text COLLATE "C" PRIMARY KEY, erased_ms bigint NOT NULL);
    UPDATE schema_version SET version = 2;
  END IF;

  IF found < 3 THEN
    -- As before, but each refresh token has one successor: within the grace it is answered again.
    CREATE OR REPLACE FUNCTION rotate_refresh_token(presented text, follower text, now_ms bigint, grace_ms bigint, next_expires_ms bigint)
    RETURNS TABLE (outcome text, session sessions) LANGUAGE plpgsql AS $rotate$
    DECLARE
      spent bigint;
      successor refresh_tokens;
    BEGIN
      SELECT s.* INTO session FROM sessions s
        WHERE s.id = (SELECT t.session_id FROM refresh_tokens t WHERE t.hash = presented)
        FOR NO KEY UPDATE;
      IF NOT FOUND OR session.ended_ms IS NOT NULL OR session.expires_ms <= now_ms THEN
        outcome := 'unknown';
        session := NULL;
        RETURN NEXT;
        RETURN;
      END IF;
      SELECT t.spent_ms INTO spent FROM refresh_tokens t WHERE t.hash = presented;
      IF spent IS NULL THEN
        UPDATE refresh_tokens t SET spent_ms = now_ms WHERE t.hash = presented;
        INSERT INTO refresh_tokens (hash, session_id, parent) VALUES (follower, session.id, presented);
      ELSE
        SELECT t.* INTO successor FROM refresh_tokens t WHERE t.parent = presented;
        IF now_ms - spent > grace_ms OR successor.spent_ms IS NOT NULL THEN
          outcome := 'reused';
          UPDATE sessions s SET ended_ms = now_ms WHERE s.id = session.id;
          RETURN NEXT;
          RETURN;
        END IF;
        IF successor.hash IS DISTINCT FROM follower THEN
          outcome := 'unknown';
          session := NULL;
          RETURN NEXT;
          RETURN;
        END IF;
      END IF;
      outcome := 'rotated';
      UPDATE sessions s SET used_ms = now_ms, expires_ms = next_expires_ms WHERE s.id = session.id RETURNING s.* INTO session;
      RETURN NEXT;
    END
    $rotate$;

    CREATE TABLE reset_tokens (
      hash text COLLATE "C" PRIMARY KEY, user_id text COLLATE "C" NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE, expires_ms bigint NOT NULL
    );
    UPDATE schema_version SET version = 3;
  END IF;
END
$schema$`;
}
