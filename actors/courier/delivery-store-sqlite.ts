/** Deliveries in the courier's own SQLite file. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../sqlite-file.ts";
import type { Attempt } from "./messages.ts";
import type { DeliveryStore } from "./ports.ts";
import type { Progress } from "./schedule.ts";

export const attemptsKept = 100;

/** Takes an open database that has the tables of webhook-database.ts. */
export function sqliteDeliveryStore(db: DatabaseSync): DeliveryStore {
  const selectAll = db.prepare("SELECT webhook, json FROM progress");
  const upsert = db.prepare(
    "INSERT INTO progress (webhook, json) VALUES (?, ?) ON CONFLICT (webhook) DO UPDATE SET json = excluded.json",
  );
  const selectLast = db.prepare("SELECT max(number) AS last FROM attempts WHERE webhook = ?");
  const insert = db.prepare("INSERT INTO attempts (webhook, number, json) VALUES (?, ?, ?)");
  const trim = db.prepare("DELETE FROM attempts WHERE webhook = ? AND number <= ?");
  const selectAttempts = db.prepare("SELECT json FROM attempts WHERE webhook = ? ORDER BY number DESC");
  const removals = ["progress", "attempts"].map((table) => db.prepare(`DELETE FROM ${table} WHERE webhook = ?`));

  return {
    all() {
      const rows = selectAll.all() as { webhook: string; json: string }[];
      return new Map(rows.map(({ webhook, json }) => [webhook, JSON.parse(json) as Progress]));
    },
    save(webhookId, progress, attempt) {
      transaction(db, () => {
        upsert.run(webhookId, JSON.stringify(progress));
        if (attempt === undefined) return;
        const number = ((selectLast.get(webhookId) as { last: number | null }).last ?? 0) + 1;
        insert.run(webhookId, number, JSON.stringify(attempt));
        trim.run(webhookId, number - attemptsKept);
      });
    },
    attempts: (webhookId) =>
      (selectAttempts.all(webhookId) as { json: string }[]).map(({ json }) => JSON.parse(json) as Attempt),
    remove(webhookId) {
      transaction(db, () => {
        for (const removal of removals) removal.run(webhookId);
      });
    },
  };
}
