/** A process of the system that is killed and comes back, on the same ports, as its keeper would have it. */
import { poll } from "./poll.ts";
import type { Runtime } from "./runtimes.ts";
import { type Exit, endDeadlineMs, freePort, launch, startDeadlineMs } from "./server.ts";

export type Ready = { ready: boolean; status: string; dependencies: Record<string, { ready: boolean; state: string }> };

export type Member = {
  readonly url: string;
  readonly admin: string;
  /** Starts it and waits until the process answers, ready or not. */
  start(): Promise<void>;
  /** Waits until it can do its job. */
  ready(timeoutMs?: number): Promise<void>;
  /** What it says of itself now; undefined when it does not answer. */
  report(): Promise<Ready | undefined>;
  /** Sends the signal and waits for the end; after `deadlineMs` it is an error (and SIGKILL). */
  end(signal: "SIGTERM" | "SIGKILL", deadlineMs?: number): Promise<Exit & { tookMs: number }>;
  /** Halts it and lets it go on. */
  send(signal: "SIGSTOP" | "SIGCONT"): void;
  /** All lines of the log, of all its lives. */
  log(): string;
};

/** Not started yet. `more` is set over what the others have in common. */
export async function member(env: Readonly<Record<string, string>>, runtime: Runtime = "bun"): Promise<Member> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const admin = `http://127.0.0.1:${adminPort}`;
  let life: ReturnType<typeof launch> | undefined;
  let before = "";
  const answer = (path: string) => fetch(admin + path, { signal: AbortSignal.timeout(20_000) }).catch(() => undefined);

  return {
    url: `http://127.0.0.1:${port}`,
    admin,
    async start() {
      before += life?.texts.stderr ?? "";
      const begun = launch(
        {
          HOST: "127.0.0.1",
          PORT: `${port}`,
          ADMIN_PORT: `${adminPort}`,
          DATA_DIR: "/nonexistent",
          LOG_LEVEL: "info",
          ...env,
        },
        { runtime },
      );
      life = begun;
      let ended: Exit | undefined;
      void begun.exited.then((exit) => {
        ended = exit;
      });
      await poll("the process answers", startDeadlineMs, async () => {
        if (ended !== undefined)
          throw new Error(`It ended while starting (${JSON.stringify(ended)}): ${begun.texts.stderr}`);
        return (await answer("/livez"))?.status === 200;
      });
    },
    async ready(timeoutMs = startDeadlineMs) {
      let last = "";
      await poll(`${env.ROLE ?? "all"} is ready`, timeoutMs, async () => {
        const reply = await answer("/readyz");
        last = (await reply?.text().catch(() => undefined)) ?? "no answer";
        return reply?.status === 200;
      }).catch((error: Error) => {
        throw new Error(`${error.message}; it says ${last}; its log ends with ${life?.texts.stderr.slice(-1_500)}`);
      });
    },
    report: async () => (await (await answer("/readyz"))?.json().catch(() => undefined)) as Ready | undefined,
    async end(signal, deadlineMs = endDeadlineMs) {
      if (life === undefined) throw new Error("Cannot end what was never started");
      const { child, exited } = life;
      const begunMs = performance.now();
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill("SIGKILL");
      }, deadlineMs);
      child.kill(signal);
      const exit = await exited;
      clearTimeout(timer);
      if (late)
        throw new Error(`It did not end within ${deadlineMs} ms of ${signal}: ${life.texts.stderr.slice(-2_000)}`);
      return { ...exit, tookMs: performance.now() - begunMs };
    },
    send: (signal) => void life?.child.kill(signal),
    log: () => before + (life?.texts.stderr ?? ""),
  };
}

/** One for each role, and as many as told of those that may be several. */
export type Crew = {
  readonly auth: Member;
  readonly tasks: readonly Member[];
  readonly consumers: readonly Member[];
  readonly all: readonly Member[];
  readonly urls: readonly string[];
  /** Ends all in order; their exit codes. */
  end(): Promise<(number | null)[]>;
};

/** Started and ready. */
export async function crew(
  env: Readonly<Record<string, string>>,
  counts: { task: number; consumer: number },
): Promise<Crew> {
  const without = (names: RegExp) => Object.fromEntries(Object.entries(env).filter(([name]) => !names.test(name)));
  const many = (count: number, one: () => Promise<Member>) => Promise.all(Array.from({ length: count }, one));
  const others = without(/^DATABASE/);
  const auth = await member({ ...without(/^(MONGO|TT_VERDICT)/), ROLE: "auth" });
  const consumers = await many(counts.consumer, () => member({ ...others, ROLE: "consumer" }));
  const tasks = await many(counts.task, () => member({ ...others, ROLE: "task", AUTH_URL: auth.url }));
  const all = [...tasks, ...consumers, auth];
  await Promise.all(all.map((each) => each.start()));
  await Promise.all(all.map((each) => each.ready()));
  return {
    auth,
    tasks,
    consumers,
    all,
    urls: tasks.map(({ url }) => url),
    async end() {
      const codes: (number | null)[] = [];
      for (const each of all) codes.push((await each.end("SIGTERM")).code);
      return codes;
    },
  };
}
