/** The process of readers, as the benchmark starts and ends it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export type Received = {
  /** By `seq`: on how many streams the fact came, and when it came on the last of them, in milliseconds since 1970. */
  readonly facts: readonly { readonly seq: number; readonly streams: number; readonly lastMs: number }[];
  /** Streams that missed or repeated a fact, that were refused, or that ended. */
  readonly faults: Readonly<Record<string, number>>;
};

export type Followed = {
  readonly url: string;
  readonly spaceId: string;
  /** A token a line, used in turn. */
  readonly tokensFile: string;
  readonly streams: number;
};

const openTimeoutMs = 120_000;

/** Resolves when all streams have begun. */
export async function follow({ url, spaceId, tokensFile, streams }: Followed) {
  const script = fileURLToPath(new URL("readers.ts", import.meta.url));
  const deno = "Deno" in globalThis ? ["run", "-A"] : [];
  const child = spawn(process.execPath, [...deno, script, url, spaceId, tokensFile, String(streams)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  process.on("exit", () => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout });
  const line = async (timeoutMs: number): Promise<string> => {
    const [text] = await once(lines, "line", { signal: AbortSignal.timeout(timeoutMs) });
    return text as string;
  };
  await line(openTimeoutMs);
  return {
    /** What came up to this fact, or within the time. */
    async end(seq: number, timeoutMs: number): Promise<Received> {
      child.stdin.write(`${seq} ${timeoutMs}\n`);
      return JSON.parse(await line(2 * timeoutMs)) as Received;
    },
  };
}
