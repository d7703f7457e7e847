/** An actor's regular word on the servers it works with. */
import type { Self } from "../runtime/actor.ts";
import { type DependencyHealth, dependencyHealth } from "./health.ts";
import { withDeadline } from "./waiting.ts";

/** Looks at one server: throws an `Error` whose message is a few words for the operator, or what its driver throws (which is not shown). */
export type Probe = () => Promise<{ lag?: number } | void> | { lag?: number } | void;
export type Probes = { readonly [D in DependencyHealth["dependency"]]?: Probe };

/** A state worth showing as it is. */
export class NotWell extends Error {
  override readonly name = "NotWell";
}

const everyMs = 1_000;
const probeMs = 1_500;

/** Probes each server now and every second, and publishes what it finds. The returned function ends it. */
export function reportHealth(self: Pick<Self, "name" | "publish">, probes: Probes): () => void {
  let ended = false;
  const loops = (Object.entries(probes) as [DependencyHealth["dependency"], Probe][]).map(
    async ([dependency, probe]) => {
      while (!ended) {
        let health: DependencyHealth;
        try {
          const found = await withDeadline(
            Promise.resolve().then(probe),
            probeMs,
            () => new NotWell("no answer in time"),
          );
          health = { actor: self.name, dependency, ok: true, ...(found?.lag === undefined ? {} : { lag: found.lag }) };
        } catch (error) {
          const detail = error instanceof NotWell ? error.message : "not reached";
          health = { actor: self.name, dependency, ok: false, detail };
        }
        if (ended) return;
        self.publish(dependencyHealth, health);
        await new Promise((resolve) => setTimeout(resolve, everyMs));
      }
    },
  );
  void Promise.allSettled(loops);
  return () => {
    ended = true;
  };
}
