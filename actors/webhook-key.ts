/** The key from which the secrets of webhooks are made, where none is configured. */
import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DataDirError } from "./process/data-dir.ts";

const fileName = "webhook.key";
const keyPattern = /^[A-Za-z0-9_-]{43}$/;

/** Reads the key in the folder, or makes it: whole or not at all. To be called with the folder's lock held. Throws a `DataDirError`. */
export function madeWebhookKey(dataDir: string): string {
  const path = join(dataDir, fileName);
  const found = keyIn(path);
  if (found !== undefined) return found;
  const key = randomBytes(32).toString("base64url");
  const draft = `${path}.new`;
  try {
    const file = openSync(draft, "w", 0o600);
    try {
      writeSync(file, `${key}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    throw new DataDirError(`Cannot make ${path}: ${(error as { code?: string }).code ?? "the system refuses it"}`);
  }
  return key;
}

function keyIn(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT") return undefined;
    throw new DataDirError(`Cannot read ${path}: ${code ?? "it is no text file"}`);
  }
  if (!keyPattern.test(text))
    throw new DataDirError(`Cannot use ${path}: it is not a key of this program; put it back from a backup`);
  return text;
}
