/**
 * The process's first lines. Loading all that a start needs (start.ts) takes a while, and a process that is asked to end meanwhile ends with 0, as one that
 * has started does. Only the platform's own boot comes before: until then the system's default action of the signal applies.
 */
import process from "node:process";

let isEnding = false;
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.on(signal, () => {
    isEnding = true;
    // Once the supervisor listens too, stopping in order is its part.
    if (process.listenerCount(signal) === 1) process.exit(0);
  });
}
const { start } = await import("./start.ts");
await start(() => isEnding);
