/** A client as lean as JavaScript allows: `bun sockets.ts <url> <file of requests> <seconds> <connections>`; prints a `Counted` (client.ts). */

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import process from "node:process";
import type { Counted } from "./client.ts";
import { separator } from "./loads.ts";

const [url = "", file = "", seconds = "", connections = ""] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const requests = readFileSync(file, "utf8")
  .split(separator)
  .map((request) => Buffer.from(request));
const endHead = Buffer.from("\r\n\r\n");
const endChunks = Buffer.from("\r\n0\r\n\r\n");

let next = 0;
let refused = 0;
let broken = 0;
let over = false;
const latenciesMs: number[] = [];

/** One connection: a request, its whole answer, the next request. Resolves when the time is over or the connection is. */
function lane(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let held: Buffer = Buffer.alloc(0);
    let sentMs = 0;
    const send = (): void => {
      if (over) return void socket.destroy();
      const request = requests[next % requests.length] ?? Buffer.alloc(0);
      next += 1;
      sentMs = performance.now();
      socket.write(request);
    };
    const fail = (): void => {
      if (!over) broken += 1;
      socket.destroy();
    };
    socket.on("connect", send);
    socket.on("data", (data: Buffer) => {
      held = held.length === 0 ? data : Buffer.concat([held, data]);
      const bodyAt = held.indexOf(endHead) + endHead.length;
      if (bodyAt < endHead.length) return;
      const head = held.toString("latin1", 0, bodyAt);
      const bytes = /content-length: *(\d+)/i.exec(head)?.[1];
      if (bytes === undefined) {
        // Without a length the last chunk is the end: nothing comes behind it before the next request.
        if (!/transfer-encoding: *chunked/i.test(head)) return fail();
        if (!held.subarray(-endChunks.length).equals(endChunks)) return;
        held = Buffer.alloc(0);
      } else {
        if (held.length < bodyAt + Number(bytes)) return;
        held = held.subarray(bodyAt + Number(bytes));
      }
      latenciesMs.push(performance.now() - sentMs);
      if (head.charAt(9) !== "2") refused += 1;
      send();
    });
    socket.on("end", fail);
    socket.on("error", fail);
    socket.on("close", () => resolve());
  });
}

const beganMs = performance.now();
const timer = setTimeout(() => {
  over = true;
}, Number(seconds) * 1_000);
await Promise.all(Array.from({ length: Number(connections) }, lane));
clearTimeout(timer);
const spentSeconds = (performance.now() - beganMs) / 1_000;
latenciesMs.sort((a, b) => a - b);
const counted: Counted = {
  answers: latenciesMs.length,
  seconds: spentSeconds,
  refused,
  broken,
  p50Ms: latenciesMs[Math.floor(latenciesMs.length * 0.5)] ?? 0,
  p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
  longestMs: latenciesMs.at(-1) ?? 0,
};
process.stdout.write(`${JSON.stringify(counted)}\n`);
