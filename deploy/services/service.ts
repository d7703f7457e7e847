/** One service of a set in the hands of a test. */
import { nativeOf, startAgain } from "./natives.ts";
import { crash, go, halt, isAlive } from "./processes.ts";
import { changing, type EntryName, type NativeEntry, readState, type State, writeState } from "./state.ts";

export type Service = {
  readonly name: EntryName;
  /** As clients use it (for Kafka `host:port`). It stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** Where its data is. */
  readonly dir: string;
  /** Its process now: another after each restart. */
  readonly pid: number;
  /** Whether it answers in its protocol. */
  serves(): Promise<boolean>;
  /** SIGKILL to it and all its processes; they are gone when the promise settles. */
  kill(): Promise<void>;
  /** SIGSTOP to all its processes: connections stay open and nothing answers. */
  pause(): Promise<void>;
  /** SIGCONT: goes on where it was. */
  resume(): Promise<void>;
  /** Kills it if it lives, starts it on the same port with the same data, and waits until it serves. */
  restart(): Promise<void>;
};

type Held = { state: State; entry: NativeEntry };

/** The service as the folder's state file says at each use, since other processes may restart it. */
export function serviceIn(dir: string, name: EntryName): Service {
  const hold = (): Held => {
    const state = readState(dir);
    const entry = state?.entries[name];
    if (state === undefined || entry?.from !== "native") throw new Error(`Cannot find ${name} in ${dir}: it is not up`);
    return { state, entry };
  };
  const { entry: found } = hold();
  const change = (work: (held: Held) => Promise<void> | void) =>
    changing(
      dir,
      () => {},
      async () => await work(hold()),
    );
  return {
    name,
    url: found.url,
    port: found.ports[0] ?? 0,
    dir: found.dir,
    get pid() {
      return hold().entry.process.pid;
    },
    async serves() {
      const { entry } = hold();
      return isAlive(entry.process) && (await nativeOf(entry).isReady(entry));
    },
    kill: () => change(({ entry }) => crash(entry.process)),
    pause: () => change(({ entry }) => void halt(entry.process)),
    resume: () => change(({ entry }) => go(entry.process)),
    restart: () =>
      change(async ({ state, entry }) => {
        await crash(entry.process);
        await startAgain(name, entry, () => writeState(dir, state));
      }),
  };
}
