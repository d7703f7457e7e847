/**
 * Readers of streams of events on bare sockets, in a process of their own: `readers.ts <url> <space> <file of tokens> <streams>`.
 * Prints a line when all streams have begun. On the line `<seq> <milliseconds>` it waits so long until that fact has come on all streams, prints a `Received` and ends.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Received } from "./follow.ts";

/** Connections being made at the same time. */
const openingMax = 100;
const beginMs = 60_000;
/** `id: ` and `<space>:<seq>` may be cut in two by the socket. */
const idMark = "\nid: ";

type Reader = { seq: number | undefined; rest: string; begun: () => void };
/** What a chunk tells: streams at the same place are sent the same bytes, which are read once. */
type Told = { readonly data: Buffer; readonly seqs: readonly number[]; readonly rest: string };

const [url = "", spaceId = "", tokensFile = "", streams = "0"] = process.argv.slice(2);
const tokens = readFileSync(tokensFile, "utf8").split("\n");
const { hostname, port } = new URL(url);
const facts = new Map<number, { streams: number; lastMs: number }>();
const faults: Record<string, number> = {};
let isOver = false;

function fault(what: string): void {
  if (!isOver) faults[what] = (faults[what] ?? 0) + 1;
}

let latest: Told = { data: Buffer.alloc(0), seqs: [], rest: "" };

function take(reader: Reader, data: Buffer): void {
  const nowMs = performance.timeOrigin + performance.now();
  if (reader.rest !== "") {
    const { seqs, rest } = readAll(reader.rest + data.toString("latin1"));
    for (const seq of seqs) receive(reader, seq, nowMs);
    reader.rest = rest;
    return;
  }
  if (!latest.data.equals(data)) latest = { data: Buffer.from(data), ...readAll(data.toString("latin1")) };
  for (const seq of latest.seqs) receive(reader, seq, nowMs);
  reader.rest = latest.rest;
}

/** The facts in it, and the beginning of one whose end has not come. */
function readAll(text: string): { seqs: number[]; rest: string } {
  const seqs: number[] = [];
  let at = 0;
  for (;;) {
    const mark = text.indexOf(idMark, at);
    const end = mark < 0 ? -1 : text.indexOf("\n", mark + idMark.length);
    if (end >= 0) {
      seqs.push(Number(text.slice(text.indexOf(":", mark + idMark.length) + 1, end)));
      at = end;
    } else if (mark >= 0) return { seqs, rest: text.slice(mark) };
    // Nothing begins behind the end of an event.
    else if (text.endsWith("\n\n") || text.endsWith("\n\n\r\n")) return { seqs, rest: "" };
    else return { seqs, rest: text.slice(1 - idMark.length) };
  }
}

function receive(reader: Reader, seq: number, nowMs: number): void {
  if (reader.seq !== undefined && seq !== reader.seq + 1) fault("gap or repeat");
  reader.seq = seq;
  const known = facts.get(seq);
  if (known === undefined) facts.set(seq, { streams: 1, lastMs: nowMs });
  else {
    known.streams += 1;
    known.lastMs = nowMs;
  }
}

/** Resolves when the stream has begun. */
function open(token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no stream began within ${beginMs} ms`)), beginMs);
    const begun = () => {
      clearTimeout(timer);
      resolve();
    };
    const reader: Reader = { seq: undefined, rest: "", begun };
    const request = `GET /v1/events?space=${spaceId} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    connect({
      request,
      data: (data) => {
        take(reader, data);
        if (reader.begun !== nothing) begin(reader, data);
      },
      error: () => fault("socket failed"),
      close: () => fault("stream ended"),
    }).catch(reject);
  });
}

function begin(reader: Reader, data: Buffer): void {
  const text = data.toString("latin1");
  if (!text.includes("event: hello")) {
    if (text.startsWith("HTTP/1.1 200")) return;
    fault(text.slice(0, text.indexOf("\r\n")));
  }
  reader.begun();
  reader.begun = nothing;
}

type Connecting = { request: string; data: (data: Buffer) => void; error: () => void; close: () => void };

/** Bun's own sockets take half of the time that those of `node:net` do. */
async function connect({ request, data, error, close }: Connecting): Promise<void> {
  if ("Bun" in globalThis) {
    const socket = {
      open: (opened: { write(text: string): number }) => void opened.write(request),
      data: (_: unknown, chunk: Buffer) => data(chunk),
      error,
      close,
    };
    await Bun.connect({ hostname, port: Number(port), socket });
    return;
  }
  const socket = createConnection({ host: hostname, port: Number(port) });
  socket.on("data", data).on("error", error).on("close", close);
  await once(socket, "connect");
  socket.write(request);
}

function nothing(): void {}

const all = Array.from({ length: Number(streams) }, (_, index) => tokens[index % tokens.length] as string);
await Promise.all(
  Array.from({ length: openingMax }, async () => {
    for (let token = all.pop(); token !== undefined; token = all.pop()) await open(token);
  }),
);
process.stdout.write("open\n");

const lines = createInterface({ input: process.stdin });
lines.once("close", () => process.exit(1));
lines.once("line", async (line) => {
  const [seq = 0, timeoutMs = 0] = line.split(" ").map(Number);
  const deadlineMs = performance.now() + timeoutMs;
  while (facts.get(seq)?.streams !== Number(streams) && performance.now() < deadlineMs)
    await new Promise((resolve) => setTimeout(resolve, 10));
  isOver = true;
  const received: Received = { facts: Array.from(facts, ([seq, each]) => ({ seq, ...each })), faults };
  process.stdout.write(`${JSON.stringify(received)}\n`, () => process.exit(0));
});
