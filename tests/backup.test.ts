/** The backup and the restore of docs/operations.md, as they stand there, while the system writes. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { call, type Person, password, person, type Task } from "./system/client.ts";
import { cleanUp, start, temporaryFolder } from "./system/server.ts";

const page = readFileSync(join(import.meta.dir, "..", "docs", "operations.md"), "utf8");
const section = /^## Backup and restore\n([\s\S]*?)\*\*On servers/m.exec(page)?.[1] ?? "";
const [backup = "", restore = ""] = [...section.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, code = ""]) => code);

afterAll(cleanUp);

async function shell(code: string, env: Record<string, string>): Promise<void> {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const child = Bun.spawn(["sh", "-euc", code], { env: { PATH: path, ...env }, stdio: ["ignore", "ignore", "pipe"] });
  const complaint = await new Response(child.stderr).text();
  expect({ code: await child.exited, complaint }).toEqual({ code: 0, complaint: "" });
}

test("a copy made while it writes has everything that was acknowledged before, and the system goes on with it; who followed begins anew", async () => {
  const system = await start();
  const who: Person = await person(system.url);
  const before = await Promise.all(
    Array.from({ length: 50 }, (_, n) => who.call<Task>("POST", "/v1/tasks", { body: { title: `Task ${n}` } })),
  );
  let isWriting = true;
  const writing = (async () => {
    while (isWriting) expect((await who.call("POST", "/v1/tasks", { body: { title: "meanwhile" } })).status).toBe(201);
  })();
  const folder = temporaryFolder();
  const env = { DATA_DIR: system.dataDir, BACKUP: join(folder, "backup"), NEW_DATA_DIR: join(folder, "restored") };
  mkdirSync(env.BACKUP);
  await shell(backup, env);
  isWriting = false;
  await writing;
  const followed = await who.call<{ epoch: string }>("GET", "/v1/spaces/me/facts?after=0&limit=1");
  expect((await system.end("SIGTERM")).code).toBe(0);

  await shell(restore, env);
  const restored = await start({ dataDir: env.NEW_DATA_DIR });
  const { status, body } = await call<{ accessToken: string }>(restored.url, "POST", "/v1/auth/login", {
    body: { email: who.email, password },
  });
  expect(status).toBe(200);
  const headers = { authorization: `Bearer ${body.accessToken}` };
  for (const { body: task } of before)
    expect((await call<Task>(restored.url, "GET", `/v1/tasks/${task.id}`, { headers })).body).toEqual(task);
  const resumed = `/v1/spaces/me/facts?after=1&epoch=${followed.body.epoch}`;
  expect((await call(restored.url, "GET", resumed, { headers })).status).toBe(410);
  const made = await call(restored.url, "POST", "/v1/tasks", { headers, body: { title: "after it" } });
  expect(made.status).toBe(201);
  expect((await restored.end("SIGTERM")).code).toBe(0);
});
