/** An auth role with a port of its own, as it is in another process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuth } from "../auth/main.ts";
import { listen } from "../http/listen.ts";

export async function authServer() {
  const dataDir = mkdtempSync(join(tmpdir(), "auth-client-"));
  const claims = { issuer: "their issuer", audience: "their audience" };
  const failures: unknown[] = [];
  const onFailure = (failure: unknown) => void failures.push(failure);
  const role = await openAuth(
    { dataDir, ...claims, trustedProxies: ["127.0.0.1"] },
    { announce() {}, onFailure, now: Date.now },
  );
  const listener = listen(role.fetch, { host: "127.0.0.1", port: 0 });
  const send = async (method: string, path: string, body?: unknown, token?: string) => {
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await role.app.fetch(new Request(`http://localhost.local${path}`, { method, headers, ...text }));
    return { status: answer.status, body: (await answer.json().catch(() => undefined)) as Record<string, string> };
  };
  return {
    port: listener.port,
    claims,
    failures,
    send,
    /** Makes an account, signed in. */
    async person(): Promise<string> {
      const email = `${crypto.randomUUID()}@example.com`;
      const { body } = await send("POST", "/v1/auth/register", { email, password: "a long enough phrase" });
      return body.accessToken ?? "";
    },
    async close() {
      await listener.stop();
      await role.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
