/** An actor's regular word on the servers it works with. */
import type { Self } from "../../runtime/actor.ts";
import { type OutageOf, outage } from "../outage.ts";
import { NoAnswerError, pauseMs, withDeadline } from "../waiting.ts";
import { type DependencyHealth, dependencyHealth } from "./health.ts";

/** What is found of a server that is reached; `detail` when something is not as it should be. */
export type Found = Pick<DependencyHealth, "lag" | "detail" | "parked">;
/** Looks at one server: throws an `Unhealthy`, or what its driver throws (which is not shown). */
export type Probe = () => Promise<Found | void> | Found | void;
export type Probes = { readonly [D in DependencyHealth["dependency"]]?: Probe };

/** A state worth showing as it is. */
export class Unhealthy extends Error {
  override readonly name = "Unhealthy";
  /** The actor cannot do its job meanwhile. */
  readonly needed: boolean;
  constructor(message: string, options: { needed: boolean } = { needed: false }) {
    super(message);
    this.needed = options.needed;
  }
}

const everyMs = 1_000;
/** What is not well is looked at again soon at first: at a start it often is in a moment. */
const soonMs = 50;
const probeMs = 1_500;

/** Probes each server now and then every second, sooner after its first failures, and publishes what it finds. The returned function ends it. */
export function reportHealth(self: Pick<Self, "name" | "publish">, probes: Probes): () => void {
  let ended = false;
  const loops = (Object.entries(probes) as [DependencyHealth["dependency"], Probe][]).map(
    async ([dependency, probe]) => {
      for (let failures = 0; !ended; ) {
        let health: DependencyHealth;
        try {
          const found = await withDeadline(
            Promise.resolve().then(probe),
            probeMs,
            () => new Unhealthy("no answer in time"),
          );
          health = { actor: self.name, dependency, ok: true, ...found };
        } catch (error) {
          const detail = error instanceof Unhealthy ? error.message : "not reached";
          const needed = error instanceof Unhealthy && error.needed ? { needed: true as const } : {};
          health = { actor: self.name, dependency, ok: false, detail, ...needed };
        }
        if (ended) return;
        await self.publish(dependencyHealth, health);
        failures = health.ok ? 0 : failures + 1;
        const waitMs = health.ok ? everyMs : pauseMs(failures, { fromMs: soonMs, toMs: everyMs });
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    },
  );
  void Promise.allSettled(loops);
  return () => {
    ended = true;
  };
}

/** So long a server that was never reached may give no answer: at a start, and on a starved host, that is no outage yet. */
const startingMs = 5_000;

/**
 * The same probe, whose failures are told in the log: once for each outage, and its end. A refusal is told at once. `why` is the reason where
 * what the probe throws does not say it.
 */
export function loggedProbe(
  log: Self["log"],
  of: OutageOf,
  probe: Probe,
  why: (failure: unknown) => unknown = (failure) => failure,
): Probe {
  const told = outage(log, of);
  const beganMs = performance.now();
  let isReached = false;
  return async () => {
    try {
      const found = await withDeadline(Promise.resolve().then(probe), probeMs);
      isReached = true;
      told.succeeded();
      return found;
    } catch (error) {
      const reason = error instanceof Unhealthy ? error.message : why(error);
      const isStarting = !isReached && performance.now() - beganMs < startingMs;
      if (!(isStarting && reason instanceof NoAnswerError)) told.failed(reason);
      throw error;
    }
  };
}
