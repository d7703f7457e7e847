/**
 * Where a platform loads a changed program into the process that runs it (`bun --hot`), the modules are evaluated again, and the systems that they made
 * before would go on beside the new ones. So the runtime notes the running systems where an evaluation does not reach, and the next one stops them.
 */

type Stop = () => Promise<void>;

/** The address tells copies of the runtime apart that are in one process: they leave each other alone. */
const NOTED = Symbol.for(`actor-runtime ${import.meta.url}`);
const noted = globalThis as { [NOTED]?: Set<Stop> };

const running: Set<Stop> = new Set();
const earlier = [...(noted[NOTED] ?? [])];
noted[NOTED] = running;

/** Settles when the systems of the program's earlier edition are down, so that what they held (ports, files) is free; undefined where there are none. */
const earlierDown = earlier.length === 0 ? undefined : Promise.allSettled(earlier.map((stop) => stop()));

/** Notes a system that starts. A promise for which its start waits, or undefined where nothing is to be waited for. Never rejects. */
export function noteSystem(stop: Stop): undefined | Promise<unknown> {
  running.add(stop);
  return earlierDown;
}

/** A system that is down needs no stop any more. */
export function forgetSystem(stop: Stop): void {
  running.delete(stop);
}
