/** Where an export goes: a file that is there only when it is whole, or stdout. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { type EndLine, MovingError } from "./moving-file.ts";

export type Output = {
  /** Some lines at a time; resolves when they have been taken. */
  line(line: object): Promise<void>;
  /** Writes the last line, and gives the file its name. */
  finish(counts: Pick<EndLine, "documents" | "changes">): Promise<void>;
  /** Nothing is left of what is not finished. */
  abandon(): Promise<void>;
};

type Sink = { write(text: string): Promise<void>; finish(): Promise<void>; abandon(): Promise<void> };

const bufferChars = 256 * 1024;

/** Throws a `MovingError` where the file cannot be made. */
export async function outputTo(path: string): Promise<Output> {
  const sink = path === "-" ? stdoutSink() : await fileSink(path);
  const hash = createHash("sha256");
  let text = "";
  const flush = async (): Promise<void> => {
    const some = text;
    text = "";
    if (some === "") return;
    hash.update(some);
    await sink.write(some);
  };
  return {
    async line(line) {
      text += `${JSON.stringify(line)}\n`;
      if (text.length > bufferChars) await flush();
    },
    async finish(counts) {
      await flush();
      const end: EndLine = { line: "end", ...counts, sha256: hash.digest("hex") };
      await sink.write(`${JSON.stringify(end)}\n`);
      await sink.finish();
    },
    abandon: sink.abandon,
  };
}

function stdoutSink(): Sink {
  return {
    write: (text) =>
      new Promise((resolve, reject) =>
        process.stdout.write(text, (error) => (error ? reject(unwritable("stdout", error)) : resolve())),
      ),
    finish: async () => undefined,
    abandon: async () => undefined,
  };
}

/** For its owner only: it holds everything that the spaces hold. */
async function fileSink(path: string): Promise<Sink> {
  if (existsSync(path))
    throw new MovingError(`Cannot export to ${path}: the file exists; give another name or remove it`);
  const draft = `${path}.part`;
  const file = await (async () => {
    await rm(draft, { force: true });
    return await open(draft, "wx", 0o600);
  })().catch((error: unknown) => {
    throw new MovingError(`Cannot make ${draft}: ${codeOf(error)}`);
  });
  return {
    async write(text) {
      await file.appendFile(text).catch((error: unknown) => {
        throw unwritable(draft, error);
      });
    },
    async finish() {
      await file.sync();
      await file.close();
      await rename(draft, path);
      const folder = await open(dirname(path), "r");
      await folder.sync().finally(() => folder.close());
    },
    async abandon() {
      await file.close();
      await rm(draft, { force: true });
    },
  };
}

function unwritable(where: string, error: unknown): Error {
  return new Error(`Cannot write to ${where}: ${codeOf(error)}`, { cause: error });
}

function codeOf(error: unknown): string {
  return (error as { code?: string } | undefined)?.code ?? "the system refuses it";
}
