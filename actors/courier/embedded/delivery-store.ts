/** Deliveries in the courier's own SQLite file. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../../sqlite/file.ts";
import type { Answered, Attempt, Progress } from "../messages.ts";
import { attemptsKept, type DeliveryStore } from "../ports.ts";

/** Takes an open database that has the tables of database.ts. */
export function sqliteDeliveryStore(db: DatabaseSync): DeliveryStore {
  const selectAll = db.prepare("SELECT webhook, space, json FROM progress");
  const upsert = db.prepare(
    "INSERT INTO progress (webhook, space, json) VALUES (?, ?, ?) ON CONFLICT (webhook) DO UPDATE SET json = excluded.json",
  );
  const selectLast = db.prepare("SELECT max(number) AS last FROM attempts WHERE webhook = ?");
  const insert = db.prepare("INSERT INTO attempts (webhook, number, json) VALUES (?, ?, ?)");
  const trim = db.prepare("DELETE FROM attempts WHERE webhook = ? AND number <= ?");
  const selectAttempts = db.prepare("SELECT json FROM attempts WHERE webhook = ? ORDER BY number DESC");
  const answer = db.prepare("INSERT INTO answers (id, webhook, json) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  const selectAnswer = db.prepare("SELECT json FROM answers WHERE id = ?");
  const removals = ["progress", "attempts", "answers"].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE webhook = ?`),
  );

  return {
    all() {
      const rows = selectAll.all() as { webhook: string; space: string; json: string }[];
      return rows.map(({ webhook: id, space: spaceId, json }) => ({
        spaceId,
        id,
        progress: JSON.parse(json) as Progress,
      }));
    },
    save({ spaceId, id: webhookId }, progress, { attempt, answered } = {}) {
      transaction(db, () => {
        upsert.run(webhookId, spaceId, JSON.stringify(progress));
        if (attempt !== undefined) {
          const number = ((selectLast.get(webhookId) as { last: number | null }).last ?? 0) + 1;
          insert.run(webhookId, number, JSON.stringify(attempt));
          trim.run(webhookId, number - attemptsKept);
        }
        if (answered === undefined || answered.fingerprint === "") return;
        answer.run(answered.id, webhookId, JSON.stringify(answered));
      });
    },
    attempts: ({ id }) => (selectAttempts.all(id) as { json: string }[]).map(({ json }) => JSON.parse(json) as Attempt),
    answered(_, requestId) {
      const row = selectAnswer.get(requestId) as { json: string } | undefined;
      return row === undefined ? undefined : (JSON.parse(row.json) as Answered);
    },
    remove({ id }) {
      transaction(db, () => {
        for (const removal of removals) removal.run(id);
      });
    },
  };
}
