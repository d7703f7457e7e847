/** The OpenAPI documents as tools of others take them: a validator, and a generator whose Python client runs the first steps. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CannotBeHad } from "../deploy/services/install.ts";
import { pythonWith } from "../deploy/services/python.ts";
import { cleanUp, type System, start, temporaryFolder } from "./system/server.ts";
import { describeWith, type Missing } from "./system/services.ts";

const packages = ["openapi-spec-validator==0.9.0", "openapi-python-client==0.29.1"];
const deadlineMs = 300_000;

/** The interpreter of a venv with the tools. */
async function tools(): Promise<{ python: string } | Missing> {
  const versions = packages.map((each) => each.slice(each.indexOf("=") + 2)).join("-");
  try {
    return { python: await pythonWith(`openapi-${versions}`, packages, () => undefined) };
  } catch (error) {
    if (error instanceof CannotBeHad) return { missing: error.message };
    throw error;
  }
}

const steps = `
import sys
from task_tracker_client import AuthenticatedClient, Client
from task_tracker_client.api.auth import register
from task_tracker_client.api.tasks import create_task, get_task, list_tasks, patch_task
from task_tracker_client.api.feed import list_facts
from task_tracker_client.models import NewTask, Registration, TaskPatch
url, email = sys.argv[1:]
tokens = register.sync(client=Client(base_url=url), body=Registration(email=email, password="correct horse battery staple 7"))
client = AuthenticatedClient(base_url=url, token=tokens.access_token)
made = create_task.sync(client=client, body=NewTask(title="Buy milk", labels=["home"]))
patch_task.sync(made.id, client=client, body=TaskPatch(title="Buy bread"))
print(get_task.sync(made.id, client=client).title, len(list_tasks.sync(client=client, label=["home"]).items), list_facts.sync("me", client=client).seq)
`;

describeWith("the OpenAPI documents", [await tools()], ({ python }) => {
  const folder = temporaryFolder();
  const document = (name: string) => join(folder, `${name}.json`);
  let system: System;

  /** Whatever it writes beside its result is a warning. */
  function ran(args: readonly string[]): { code: number; text: string } {
    const env = { ...process.env, PYTHONPATH: join(folder, "client"), PYTHONDONTWRITEBYTECODE: "1" };
    const ended = Bun.spawnSync([python, ...args], { cwd: folder, env, timeout: deadlineMs });
    return { code: ended.exitCode, text: `${ended.stdout}${ended.stderr}` };
  }

  beforeAll(async () => {
    system = await start();
    for (const name of ["openapi", "openapi-aliases"])
      writeFileSync(document(name), await (await fetch(`${system.url}/v1/${name}.json`)).text());
  }, deadlineMs);
  afterAll(async () => {
    await system?.end("SIGTERM");
    await cleanUp();
  }, deadlineMs);

  test(
    "are valid",
    () => {
      const files = ["openapi", "openapi-aliases"].map(document);
      expect(ran(["-m", "openapi_spec_validator", ...files])).toEqual({
        code: 0,
        text: files.map((file) => `${file}: OK\n`).join(""),
      });
    },
    deadlineMs,
  );

  test(
    "give a Python client without a warning, which makes, changes, reads and lists a task",
    () => {
      const settings = join(folder, "settings.yml");
      // What its formatter would change is of no interest.
      writeFileSync(settings, "content_type_overrides:\n  application/x-ndjson: text/plain\npost_hooks: []\n");
      const generate = [
        "-m",
        "openapi_python_client",
        "generate",
        "--config",
        settings,
        "--path",
        document("openapi"),
        "--output-path",
        "client",
      ];
      expect(ran(generate)).toEqual({ code: 0, text: "Generating client\n" });
      const file = join(folder, "steps.py");
      writeFileSync(file, steps);
      const email = `${crypto.randomUUID()}@example.com`;
      expect(ran([file, system.url, email])).toEqual({ code: 0, text: "Buy bread 1 2\n" });
    },
    deadlineMs,
  );
});
