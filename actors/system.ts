/** The tree: which roles run in this process, how many of each, and what each is given. */
import { randomUUID } from "node:crypto";
import type { LogLevel } from "../runtime/actor.ts";
import type { FaultKind } from "../runtime/fault.ts";
import { type Log, type System, system } from "../runtime/system.ts";
import { type ChildSpec, child, supervise } from "../runtime/tree.ts";
import { auth } from "./auth/messages.ts";
import type { Config } from "./config.ts";
import { consumer } from "./consumer/messages.ts";
import { courier } from "./courier/messages.ts";
import { follower } from "./follower/messages.ts";
import { spaceNamesIn } from "./kafka/names.ts";
import { keeper } from "./keeper/messages.ts";
import { sharedBytes } from "./metrics/threads.ts";
import { task } from "./task/messages.ts";

export type TaskTracker = {
  readonly system: System;
  /** Names of the actors. */
  readonly actors: readonly string[];
  /** Ends one actor from inside, for tests; false when there is none of that name. */
  fault(actor: string, how: FaultKind): boolean;
};

/**
 * An actor that dies is started again alone: the others hold no state that depends on it. The period is longer than ten lives with the longest pauses between
 * them: what no restart mends ends the process on a slow machine, too.
 */
const limits = { intensity: 10, periodMs: 120_000 };

export function taskTracker(config: Config, log: Log): TaskTracker {
  const children = childrenOf(config);
  const running = system({
    tree: supervise("one_for_one", limits, children),
    log: known(log),
    signals: true,
    sharedBytes: sharedBytes(config.taskWorkers),
    stopMs: 15_000,
  });
  const actors = children.map((each) => each.actor.name);
  return {
    system: running,
    actors,
    fault: (name, how) => {
      if (!actors.includes(name)) return false;
      // One that is not up just now has its fault already.
      running.injectFault({ name }, how);
      return true;
    },
  };
}

/** Left to right as they start: who is asked before who asks. */
function childrenOf(config: Config): ChildSpec[] {
  const { role, kafka, redis } = config;
  const runs = (...roles: readonly Config["role"][]) => role === "all" || roles.includes(role);
  return [
    ...(runs("auth") ? [authChild(config)] : []),
    ...(runs("task") && kafka !== undefined ? [followerChild(kafka)] : []),
    ...(runs("consumer") ? [consumerChild(config)] : []),
    ...(runs("consumer") && kafka !== undefined && redis !== undefined
      ? [child(keeper, { args: { kafka, redis } })]
      : []),
    ...courierChildren(config),
    ...(runs("task") ? [taskChild(config)] : []),
  ];
}

function authChild(config: Config): ChildSpec {
  const { dataDir, issuer, audience, host, port, role, site } = config;
  // Where the task role has the port, it opens what auth answers to other origins.
  const allowedOrigins = role === "auth" ? [...site.allowedOrigins] : [];
  return child(auth, {
    args: {
      dataDir,
      issuer,
      audience,
      site: { ...site, allowedOrigins },
      rateLimit: { ...config.rateLimit },
      trustedProxies: [...config.trustedProxies],
      loginDelay: config.loginDelay,
      registration: config.registration === "open",
      ...given(config, "database", "redis", "kafka", "tracing"),
      ...(role === "auth" ? { listen: { host, port } } : {}),
    },
  });
}

function followerChild(kafka: NonNullable<Config["kafka"]>): ChildSpec {
  // A group of this process: an actor that is started again goes on where the one before it was.
  return child(follower, { args: { kafka, group: spaceNamesIn(kafka).followers + randomUUID() } });
}

function consumerChild(config: Config): ChildSpec {
  const { dataDir } = config;
  return child(consumer, { args: { dataDir, ...given(config, "kafka", "mongo", "tracing") } });
}

/** Beside the writer: it delivers for the spaces that this one writes. */
function courierChildren(config: Config): ChildSpec[] {
  const { role, dataDir, webhookKey: key, webhookAllow, trustedCa: ca, site } = config;
  if ((role !== "all" && role !== "consumer") || key === undefined) return [];
  const trusted = ca === undefined ? {} : { ca };
  const args = { dataDir, key, siteUrl: site.url, allowed: [...webhookAllow], ...given(config, "mongo"), ...trusted };
  return [child(courier, { args })];
}

function taskChild(config: Config): ChildSpec {
  const { dataDir, host, port, site, verdictTimeoutMs, issuer, audience, authUrl, webhookKey } = config;
  return child(task, {
    instances: config.taskWorkers,
    args: {
      dataDir,
      host,
      port,
      site: { ...site, allowedOrigins: [...site.allowedOrigins] },
      verdictTimeoutMs,
      page: config.page,
      webhookAllow: [...config.webhookAllow],
      instance: randomUUID(),
      isOnlyWorker: config.taskWorkers === 1,
      rateLimit: { ...config.rateLimit },
      ...given(config, "kafka", "mongo", "redis", "tracing"),
      ...(webhookKey === undefined ? {} : { webhookKey }),
      ...(authUrl === undefined
        ? {}
        : { remoteAuth: { authUrl, issuer, audience, trustedProxies: [...config.trustedProxies] } }),
    },
  });
}

/** Those of the named parts that are configured. */
function given<Name extends "database" | "kafka" | "mongo" | "redis" | "tracing">(
  config: Config,
  ...names: readonly Name[]
): { [N in Name]?: NonNullable<Config[N]> } {
  return Object.fromEntries(names.flatMap((name) => (config[name] === undefined ? [] : [[name, config[name]]]))) as {
    [N in Name]?: NonNullable<Config[N]>;
  };
}

/** Dead letters of a death are told once by the supervisor's own line; as warnings they would drown it. */
function known(log: Log): Log {
  return (level: LogLevel, event, fields) => log(event === "dead-letter" ? "info" : level, event, fields);
}
