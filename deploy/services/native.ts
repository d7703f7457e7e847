/** What each program that runs as a process of this machine has to say of itself; `local-servers.ts` lists them. */
import type { Say } from "./install.ts";
import type { Command } from "./processes.ts";

/** Where one server runs: its own folder, its ports (the first is the one clients use) and where its program was found. */
export type Place = { readonly dir: string; readonly ports: readonly number[]; readonly tools: string };

export type Native = {
  readonly portCount: number;
  /** What `install` would have to bring, in words; empty when all of it is here. Installs nothing. */
  missing(): readonly string[];
  /** Finds the program, or installs it. Answers where it is; throws `CannotBeHad` with the reason. */
  install(say: Say): Promise<string>;
  /** Fills the empty folder and answers the URL for clients. `coordinatorPort`: of a ZooKeeper, for who needs one. */
  prepare(place: Place, coordinatorPort: number | undefined): Promise<string>;
  command(place: Place): Command;
  /** Before each start that finds the data of a server that was killed; all its processes are gone. */
  clear?(place: Place): void;
  /** After each look that found it not ready yet. */
  whileNotReady?(place: Place): Promise<void>;
  /** Once in the life of the folder, when it first answers. */
  settle?(place: Place, url: string): Promise<void>;
  /** Ends it at once, in a way that leaves nothing behind in the system. */
  readonly stopSignal: NodeJS.Signals;
};

export function portOf(place: Place): number {
  const [port] = place.ports;
  if (port === undefined) throw new Error(`Cannot run a server in ${place.dir}: it has no port`);
  return port;
}
