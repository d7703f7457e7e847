/** The tree: which roles run in this process, how many of each, and what each is given. */
import type { LogLevel } from "../runtime/actor.ts";
import { type Log, type System, system } from "../runtime/system.ts";
import { type ChildSpec, child, supervise } from "../runtime/tree.ts";
import { auth } from "./auth/messages.ts";
import type { Config } from "./config.ts";
import { consumer } from "./consumer/messages.ts";
import type { FaultKind } from "./debug.ts";
import { task } from "./task/messages.ts";

export type TaskTracker = {
  readonly system: System;
  /** Names of the actors. */
  readonly actors: readonly string[];
  /** Ends one actor from inside, for tests; false when there is none of that name. */
  fault(actor: string, how: FaultKind): boolean;
};

/** A role that dies is started again alone: the others hold no state that depends on it. */
const limits = { intensity: 10, periodMs: 30_000 };

export function taskTracker(config: Config, log: Log): TaskTracker {
  const running = system({
    tree: supervise("one_for_one", limits, childrenOf(config)),
    log: known(log),
    signals: true,
    stopMs: 15_000,
  });
  const faults: Record<string, (how: FaultKind) => void> = {
    auth: (how) => void running.ref(auth).tell("debug", { how }),
    consumer: (how) => void running.ref(consumer).tell("debug", { how }),
    task: (how) => void running.ref(task).tell("debug", { how }),
  };
  const actors = config.role === "all" ? ["auth", "consumer", "task"] : [config.role];
  return {
    system: running,
    actors,
    fault: (actor, how) => {
      if (!actors.includes(actor)) return false;
      faults[actor]?.(how);
      return true;
    },
  };
}

/** Left to right as they start: who is asked before who asks. */
function childrenOf(config: Config): ChildSpec[] {
  const { dataDir, issuer, audience, debugFaults, host, port } = config;
  const rateLimit = { ...config.rateLimit };
  const users = { dataDir, issuer, audience, rateLimit, debugFaults };
  if (config.role === "auth") return [child(auth, { data: { ...users, listen: { host, port } } })];
  const { verdictTimeoutMs, taskWorkers: times } = config;
  return [
    child(auth, { data: users }),
    child(consumer, { data: { dataDir, debugFaults } }),
    child(task, { times, data: { dataDir, host, port, verdictTimeoutMs, rateLimit, debugFaults } }),
  ];
}

/** Dead letters of a death are told once by the supervisor's own line; as warnings they would drown it. */
function known(log: Log): Log {
  return (level: LogLevel, event, fields) => log(event === "dead-letter" ? "info" : level, event, fields);
}
