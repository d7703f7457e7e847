import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuth } from "./main.ts";

const dataDir = mkdtempSync(join(tmpdir(), "task-tracker-auth-"));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test("a store that fails is 503 users-unavailable with Retry-After, and its own words stay inside", async () => {
  const role = await openAuth(
    { dataDir, issuer: "i", audience: "a" },
    { announce: () => {}, onFailure: () => {}, now: Date.now },
  );
  await role.close();
  for (const path of ["register", "login"]) {
    const answer = await role.app.fetch(
      new Request(`http://localhost.local/v1/auth/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email: "ada@example.com", password: "correct horse battery" }),
      }),
    );
    const problem = (await answer.json()) as { code: string; detail: string };
    expect([answer.status, problem.code, answer.headers.get("retry-after")]).toEqual([503, "users-unavailable", "1"]);
    expect(problem.detail).not.toMatch(/database|sqlite/i);
  }
});
