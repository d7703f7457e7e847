/** What each actor says of the servers it works with, for `/readyz`: the main thread listens, so that it answers while an actor hangs. */
import { topic } from "../../runtime/actor.ts";

/** One server as one actor sees it. Said at least once a second; an actor that falls silent is not believed any more. */
export type DependencyHealth = {
  readonly actor: string;
  readonly dependency: "postgresql" | "mongodb" | "redis" | "kafka" | "auth" | "disk";
  readonly ok: boolean;
  /** A few words when it is not, or is reached and still not as it should be: never a host name or a driver's own message. */
  readonly detail?: string;
  /** The actor cannot do its job without it now. */
  readonly needed?: true;
  /** Commands that wait in the log for the writer, where the actor knows. */
  readonly lag?: number;
  /** Records of the log that are set aside and wait for a redrive, where the actor knows. */
  readonly parked?: number;
};

/** Why a server that is reached takes no writes: all that is told of it. */
export type WriteRefusal =
  | "disk full"
  | "not primary"
  | "out of memory"
  | "read-only"
  | "refuses writes"
  | "too few replicas";

export const dependencyHealth = topic<DependencyHealth>("health");
