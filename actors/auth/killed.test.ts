import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { type AuthParts, openAuth } from "./main.ts";

const parts: AuthParts = { announce() {}, onFailure() {}, now: Date.now };

/** Refreshes one session for ever and prints each refresh token that was answered. */
const refreshing = (dataDir: string) => `
  import { openAuth } from ${JSON.stringify(new URL("./main.ts", import.meta.url).href)};
  const parts = { announce() {}, onFailure() {}, now: Date.now };
  const { app } = await openAuth({ dataDir: ${JSON.stringify(dataDir)}, issuer: "i", audience: "a" }, parts);
  const headers = { "content-type": "application/json" };
  const post = async (path, body) =>
    (await app.fetch(new Request("http://localhost.local" + path, { method: "POST", headers, body: JSON.stringify(body) }))).json();
  let { refreshToken } = await post("/v1/auth/register", { email: "ada@example.com", password: "correct horse 7 battery" });
  for (;;) {
    ({ refreshToken } = await post("/v1/auth/refresh", { refreshToken }));
    process.stdout.write(refreshToken + "\\n");
  }`;

test("a session refreshed up to a kill -9 goes on with the last token that was answered", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "auth-killed-"));
  try {
    const child = spawn(process.execPath, ["-e", refreshing(dataDir)], { stdio: ["ignore", "pipe", "inherit"] });
    let refreshToken = "";
    let answered = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      refreshToken = line;
      answered += 1;
      if (answered === 100) child.kill("SIGKILL");
    }
    expect(answered).toBeGreaterThanOrEqual(100);
    const { app, close } = await openAuth({ dataDir, issuer: "i", audience: "a" }, parts);
    const request = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ refreshToken }),
    };
    expect((await app.fetch(new Request("http://localhost.local/v1/auth/refresh", request))).status).toBe(200);
    await close();
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
