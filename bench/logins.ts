/**
 * Who can still sign in while somebody else sends 200 wrong passwords a second: `bun run bench:logins [--seconds N] [VARIABLE=value ...]`. The
 * variables are given to the system besides. Three floods, each from the same address as everybody: against one account, against as many as
 * there are requests, and against the very accounts of those who sign in.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePorts } from "../deploy/services/ports.ts";
import { helpIfAsked } from "./http/options.ts";

const floodPerSecond = 200;
const people = 16;
const password = "correct horse battery staple 7";

helpIfAsked(import.meta.url);
const given = process.argv.slice(2);
const at = given.indexOf("--seconds");
const seconds = at < 0 ? 8 : Number(given[at + 1]);
if (!(seconds >= 1)) throw new RangeError("Cannot measure: --seconds takes a number from 1");
const more = Object.fromEntries(given.filter((each) => each.includes("=")).map((each) => each.split("=", 2)));

type Outcome = { status: number; tookMs: number };

async function system() {
  const [port, adminPort] = await freePorts(2);
  const folder = mkdtempSync(join(tmpdir(), "bench-logins-"));
  const child = spawn(process.execPath, [join(import.meta.dirname, "..", "actors", "main.ts")], {
    env: { ...process.env, PORT: `${port}`, ADMIN_PORT: `${adminPort}`, DATA_DIR: folder, LOG_LEVEL: "error", ...more },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = `http://127.0.0.1:${port}`;
  for (const deadlineMs = Date.now() + 60_000; ; ) {
    const isUp = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) break;
    if (Date.now() > deadlineMs) throw new Error("Cannot measure: the system is not ready");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    async end() {
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function post(url: string, path: string, body: object): Promise<Outcome> {
  const begunMs = performance.now();
  const headers = { "content-type": "application/json" };
  const status = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) }).then(
    async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    },
    () => 0,
  );
  return { status, tookMs: performance.now() - begunMs };
}

function counted(outcomes: readonly Outcome[]): string {
  const by = new Map<number, number>();
  for (const { status } of outcomes) by.set(status, (by.get(status) ?? 0) + 1);
  return [...by]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
    .join(", ");
}

const email = (nth: number) => `person-${nth}@example.com`;
const floods: Record<string, (nth: number) => string> = {
  "one account": () => "victim@example.com",
  "unknown ones": (nth) => `nobody-${nth}@example.com`,
  "these accounts": (nth) => email(nth % people),
};

for (const [name, target] of Object.entries(floods)) {
  const { url, end } = await system();
  try {
    for (let nth = 0; nth < people; nth += 1) await post(url, "/v1/auth/register", { email: email(nth), password });
    const flood: Promise<Outcome>[] = [];
    const honest: Promise<Outcome>[] = [];
    const begunMs = performance.now();
    const elapsed = () => performance.now() - begunMs;
    while (elapsed() < seconds * 1_000) {
      while (flood.length < (elapsed() / 1_000) * floodPerSecond)
        flood.push(post(url, "/v1/auth/login", { email: target(flood.length), password: "a wrong phrase" }));
      // The people come one after the other in the second half.
      const due = (elapsed() / 1_000 / seconds - 0.5) * 2 * people;
      while (honest.length < Math.min(people, due))
        honest.push(post(url, "/v1/auth/login", { email: email(honest.length), password }));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const ofPeople = await Promise.all(honest);
    const served = ofPeople.filter(({ status }) => status === 200).map(({ tookMs }) => tookMs);
    const slowest = served.length === 0 ? "nobody" : `slowest ${Math.round(Math.max(...served))} ms`;
    process.stdout.write(
      `wrong ones for ${name.padEnd(14)}  right ones: ${counted(ofPeople)} (${slowest}); wrong ones: ${counted(await Promise.all(flood))}\n`,
    );
  } finally {
    await end();
  }
}
