/** Ports on loopback for servers that come back on the same port after a crash. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** What this process was given, so that two that ask one after the other, before either listens, differ. */
const given = new Set<number>();

/**
 * So many ports that are free now, none of them given to this process before. They are below the range from which systems
 * take the near ends of outgoing connections (32768 and up): one of those could hold a server's port while it is down.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let tries = 0; found.length < count; tries++) {
    if (tries > 200) throw new Error("Cannot find a free port: 200 were taken");
    const port = randomInt(15_000, 32_000);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) found.push(port);
  }
  return found;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
