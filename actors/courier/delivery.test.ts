import { expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { webhookSecret } from "../model/webhook-secret.ts";
import type { Document } from "../resources/document.ts";
import { outcomeOf, testMessage } from "./delivery.ts";

const nowMs = Date.UTC(2026, 0, 31, 9, 30);
const hourMs = 3_600_000;

test("what an answer means follows from its status alone", () => {
  for (const status of [200, 201, 202, 204, 299]) expect(outcomeOf({ status }, nowMs)).toEqual({ kind: "delivered" });
  expect(outcomeOf({ status: 410 }, nowMs)).toEqual({ kind: "gone" });
  for (const status of [0, 100, 199, 300, 302, 304, 308, 400, 404, 409, 429, 500, 503, 999])
    expect(outcomeOf({ status }, nowMs)).toEqual({ kind: "failed" });
  expect(outcomeOf({ error: "no answer in time" }, nowMs)).toEqual({ kind: "failed" });
});

test("Retry-After is seconds or a date of HTTP, and nothing else makes a pause longer", () => {
  const waits: [string, number][] = [
    ["0", 0],
    ["120", 120_000],
    ["99999999999999", 99_999_999_999_999_000],
    ["9".repeat(400), Number.POSITIVE_INFINITY],
    ["Sat, 31 Jan 2026 10:30:00 GMT", hourMs],
    ["Saturday, 31-Jan-26 10:30:00 GMT", hourMs],
    ["Sat Jan 31 10:30:00 2026", hourMs],
    ["Sat, 31 Jan 2026 08:30:00 GMT", 0],
    ["Fri, 31 Dec 9999 23:59:59 GMT", Date.UTC(9999, 11, 31, 23, 59, 59) - nowMs],
  ];
  for (const [retryAfter, retryAfterMs] of waits)
    expect(outcomeOf({ status: 503, retryAfter }, nowMs), retryAfter).toEqual({ kind: "failed", retryAfterMs });
  for (const retryAfter of [
    "",
    "-5",
    "+5",
    "1.5",
    "1e9",
    "0x10",
    "5s",

    "soon",
    "Sat, soon",
    "5, 7",
    "2030-01-01",
  ])
    expect(outcomeOf({ status: 503, retryAfter }, nowMs), retryAfter).toEqual({ kind: "failed" });
});

test("a message is signed with both secrets for a day after a rotation, and with the new one alone from then on", () => {
  const key = "k".repeat(32);
  const at = new Date(nowMs).toISOString();
  const fields = { url: "https://a.example/", types: [], active: true, generation: 3, rotatedAt: at };
  const common = { version: 3, seq: 3, creatorId: "ada", createdAt: at, updatedAt: at, undoable: 0 };
  const webhook: Document = { spaceId: "space", id: "hook", type: "webhook", fields, ...common };
  const dayMs = 24 * hourMs;
  for (const [afterMs, signing] of [
    [0, [3, 2]],
    [dayMs - 1, [3, 2]],
    [dayMs, [3]],
    [365 * dayMs, [3]],
  ] as const) {
    const { headers, body } = testMessage(webhook, "id", { key, siteUrl: "", nowMs: nowMs + afterMs });
    const signatures = headers["webhook-signature"]?.split(" ");
    const expected = signing.map((generation) =>
      new Webhook(webhookSecret(key, "hook", generation)).sign("hook_test_id", new Date(nowMs + afterMs), body),
    );
    expect(signatures).toEqual(expected);
  }
});
