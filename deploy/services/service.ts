/** One service of a set in the hands of a test. */

import { containerControl } from "./containers.ts";
import { nativeControl } from "./local-servers.ts";
import { answers, protocolOf } from "./protocol-probe.ts";
import { type Control, changing, type Entry, type EntryName, readState, writeState } from "./state.ts";

export type Service = {
  readonly name: EntryName;
  /** As clients use it (for Kafka `host:port`). It stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** Where its data is: a folder here, or in its container. */
  readonly dir: string;
  /** Its process now: another after each restart. */
  readonly pid: number;
  /** Whether it answers in its protocol. */
  serves(): Promise<boolean>;
  /** SIGKILL to it and all its processes; they are gone when the promise settles. */
  kill(): Promise<void>;
  /** Halts all its processes: connections stay open and nothing answers. */
  pause(): Promise<void>;
  /** Goes on where it was. */
  resume(): Promise<void>;
  /** Kills it if it lives, starts it on the same port with the same data, and waits until it serves. */
  restart(): Promise<void>;
};

/** `keep` writes the entry's state down. */
export function controlOf(name: EntryName, entry: Entry, keep: () => void): Control {
  return entry.from === "native" ? nativeControl(name, entry, keep) : containerControl(entry);
}

/** Both are asked, because another server may have taken the port of a dead one. */
export async function serves(entry: Entry, control: Control): Promise<boolean> {
  const [port = 0] = entry.ports;
  return (await control.isAlive()) && (await answers(protocolOf[entry.program], "127.0.0.1", port, 2_000));
}

/** The service as the state file says at each use, since other processes may restart it. Throws when it is not in the set. */
export function serviceIn(dir: string, name: EntryName): Service {
  const hold = () => {
    const state = readState(dir);
    const entry = state?.entries[name];
    if (state === undefined || entry === undefined)
      throw new Error(`Cannot find ${name} in ${dir}: up did not start it there`);
    return { entry, control: controlOf(name, entry, () => writeState(dir, state)) };
  };
  const { entry } = hold();
  const [port = 0] = entry.ports;
  const change = (work: (control: Control) => Promise<void>) =>
    changing(
      dir,
      () => {},
      () => work(hold().control),
    );
  return {
    name,
    url: entry.url,
    port,
    dir: entry.dir,
    get pid() {
      return hold().control.pid();
    },
    serves() {
      const held = hold();
      return serves(held.entry, held.control);
    },
    kill: () => change((control) => control.crash()),
    pause: () => change((control) => control.pause()),
    resume: () => change((control) => control.resume()),
    restart: () =>
      change(async (control) => {
        await control.crash();
        await control.start();
      }),
  };
}
