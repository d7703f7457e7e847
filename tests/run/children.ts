/** The programs that `npm test` runs, each with all that it starts in a process group of its own, so that none of it is left behind. */
import { type ChildProcess, spawn } from "node:child_process";

const living = new Set<ChildProcess>();
/** For a test's own clean-up, before it is killed. */
const patienceMs = 5_000;

export type Ended = { readonly code: number | null; readonly text: string };

/** Runs Bun with these arguments to its end. `shown`: its output goes to ours at once, and is not answered. */
export function runBun(
  args: readonly string[],
  options: { shown?: true; env?: Record<string, string> } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", ...(options.shown ? (["inherit", "inherit"] as const) : (["pipe", "pipe"] as const))],
      detached: true,
    });
    living.add(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
    child.once("error", reject);
    child.once("exit", (code) => {
      living.delete(child);
      // What it has left behind, of a test that failed for example: it would also keep the pipes open.
      signalGroup(child, "SIGKILL");
      setImmediate(() => resolve({ code, text }));
    });
  });
}

/** Ends everything that runs; resolves when it is gone. */
export async function endAll(): Promise<void> {
  await Promise.all(
    [...living].map(async (child) => {
      const gone = new Promise((resolve) => child.once("exit", resolve));
      signalGroup(child, "SIGTERM");
      const timer = setTimeout(() => signalGroup(child, "SIGKILL"), patienceMs);
      await gone;
      clearTimeout(timer);
      signalGroup(child, "SIGKILL");
    }),
  );
}

function signalGroup(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Nobody is left in it.
  }
}
