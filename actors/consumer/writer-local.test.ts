import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { generationsBytes } from "../model/generations.ts";
import { localWriter } from "./writer-local.ts";

test("an erasure that cannot be gone on with is told and waits, and the writer lives", async () => {
  const dir = mkdtempSync(join(tmpdir(), "writer-"));
  const told = Promise.withResolvers<string>();
  const writer = localWriter(
    {
      name: "consumer",
      publish: () => undefined,
      log: (_level, event) => told.resolve(event),
      fail: (error) => told.reject(error),
      shared: new SharedArrayBuffer(generationsBytes),
    },
    dir,
  );
  const other = new DatabaseSync(join(dir, "tasks.db"));
  other.exec("DROP TABLE erased");
  other.close();
  expect(await told.promise).toBe("erasure-waits");
  expect(writer.isReady()).toBe(true);
  await writer.stop();
  rmSync(dir, { recursive: true });
});
