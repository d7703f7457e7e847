/** Accounts as an operator makes them while the system runs: links that set a password, in a file and in PostgreSQL, on both runtimes. */
import { afterAll, expect, test } from "bun:test";
import { freshDatabase, server } from "./contract/auth-ports.ts";
import { call, type Reply, type Tokens } from "./system/client.ts";
import type { Runtime } from "./system/runtimes.ts";
import { cleanUp, start } from "./system/server.ts";
import { describeWith } from "./system/services.ts";
import { tracker } from "./system/tracker.ts";

afterAll(cleanUp);
const deadlineMs = 120_000;
const password = "a phrase of their own";

function refused(reply: Reply, status: number, code: string): void {
  expect([reply.status, (reply.body as { code?: string }).code], reply.text).toEqual([status, code]);
}

/** With registration closed: adds somebody, who sets a password, forgets it and sets another. */
async function story(runtime: Runtime, env: Record<string, string>, publicUrl: string): Promise<void> {
  const shared = { ...env, TT_REGISTRATION: "closed", ...(publicUrl === "" ? {} : { TT_PUBLIC_URL: publicUrl }) };
  const system = await start({ runtime, env: shared });
  const { url, dataDir } = system;
  const port = new URL(url).port;
  const email = "ada@example.com";
  const link = async (...args: string[]): Promise<string> => {
    const { code, out, err } = await tracker(args, { DATA_DIR: dataDir, PORT: port, ...shared }, runtime).exited;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [first = ""] = out.split("\n");
    expect(first).toStartWith(`${publicUrl === "" ? url : publicUrl}/#reset=rs_`);
    return first.slice(first.indexOf("#reset=") + "#reset=".length);
  };
  const post = (path: string, body: object) => call<Tokens>(url, "POST", path, { body });

  refused(await post("/v1/auth/register", { email, password }), 403, "registration-closed");
  const first = await link("add-user", email, "Ada Lovelace");
  refused(await post("/v1/auth/login", { email, password }), 401, "invalid-credentials");
  expect((await post("/v1/auth/reset", { resetToken: first, newPassword: password })).status).toBe(204);
  const signedIn = await post("/v1/auth/login", { email, password });
  expect([signedIn.status, signedIn.body.user.name]).toEqual([200, "Ada Lovelace"]);
  const second = await link("reset-password", email);
  expect((await post("/v1/auth/reset", { resetToken: second, newPassword: `${password} 2` })).status).toBe(204);
  refused(await post("/v1/auth/reset", { resetToken: second, newPassword: password }), 401, "unauthenticated");
  refused(await post("/v1/auth/refresh", { refreshToken: signedIn.body.refreshToken }), 401, "unauthenticated");
  expect((await post("/v1/auth/login", { email, password: `${password} 2` })).status).toBe(200);
  expect(await tracker(["add-user", email], { DATA_DIR: dataDir, ...shared }, runtime).exited).toEqual({
    code: 2,
    out: "",
    err: "Cannot add the account: another one has this e-mail; `reset-password` makes a link for it\n",
  });
  expect(system.stderr()).not.toContain("rs_");
  await system.end("SIGTERM");
}

for (const runtime of ["bun", "deno"] satisfies Runtime[])
  test(
    `somebody added by the operator sets a password, and another one later (a file, ${runtime})`,
    async () => {
      await story(runtime, {}, runtime === "bun" ? "" : "https://example.org/todo");
    },
    deadlineMs,
  );

describeWith("accounts in PostgreSQL", [server], ({ url: serverUrl }) => {
  for (const runtime of ["bun", "deno"] satisfies Runtime[])
    test(
      `somebody added by the operator sets a password, and another one later (PostgreSQL, ${runtime})`,
      async () => {
        const database = await freshDatabase(serverUrl);
        await story(runtime, { DATABASE_URL: database.url }, "");
        await database.remove();
      },
      deadlineMs,
    );
});
