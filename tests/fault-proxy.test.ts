/** The proxy that other tests hurt connections with does what its modes say. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type FaultProxy, faultProxy } from "./system/fault-proxy.ts";
import { poll } from "./system/poll.ts";

let echo: Server;
let proxy: FaultProxy;
const arrived: string[] = [];
const sockets = new Set<Socket>();

beforeAll(async () => {
  echo = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    socket.on("data", (bytes) => {
      arrived.push(bytes.toString());
      socket.write(bytes);
    });
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  proxy = await faultProxy((echo.address() as { port: number }).port);
});
beforeEach(() => proxy.mode("pass"));
afterAll(async () => {
  await proxy?.close();
  for (const socket of sockets) socket.destroy();
  echo?.close();
});

/** A client that keeps what it hears. */
function client() {
  const heard = { text: "", closed: false, error: "" };
  const socket = connect(proxy.port, "127.0.0.1");
  socket.on("data", (bytes) => (heard.text += bytes));
  socket.on("error", (error) => (heard.error = (error as { code?: string }).code ?? error.message));
  socket.on("close", () => (heard.closed = true));
  const says = async (text: string) => {
    const before = heard.text;
    socket.write(text);
    await poll(`${text} comes back`, 60_000, () => heard.text === before + text, 1);
  };
  return { heard, socket, says };
}

test("pass carries both ways, also much, and the end", async () => {
  const { says, socket, heard } = client();
  await says("hello");
  await says("x".repeat(1_000_000));
  expect(proxy.connections()).toBe(1);
  socket.end();
  await poll("the end comes back", 60_000, () => heard.closed && proxy.connections() === 0);
});

test("slow carries each part later, in order", async () => {
  const { says, socket } = client();
  await says("a");
  await proxy.mode("slow", { delayMs: 60 });
  const began = performance.now();
  await says("bcd");
  expect(performance.now() - began).toBeGreaterThanOrEqual(115);
  socket.destroy();
});

test("refuse ends what is open and lets nobody in; the port is the same afterwards", async () => {
  const before = client();
  await before.says("a");
  await proxy.mode("refuse");
  await poll("it is cut", 60_000, () => before.heard.closed);
  const during = client();
  await poll("it is refused", 60_000, () => during.heard.error === "ECONNREFUSED");
  await proxy.mode("pass");
  await client().says("b");
});

test("cut resets what is open and what is new", async () => {
  const before = client();
  await before.says("a");
  await proxy.mode("cut");
  await poll("it is cut", 60_000, () => before.heard.closed);
  const during = client();
  await poll("the new one is cut", 60_000, () => during.heard.closed);
  expect(proxy.connections()).toBe(0);
});

test("stall swallows everything for ever, and a new connection of later works", async () => {
  const before = client();
  await before.says("a");
  await proxy.mode("stall");
  const during = client();
  await once(during.socket, "connect");
  before.socket.write("lost");
  during.socket.write("lost too");
  await poll("both are there", 60_000, () => proxy.connections() >= 2);
  await proxy.mode("pass");
  await client().says("b");
  expect([before.heard.closed, before.heard.text, during.heard.closed, during.heard.text]).toEqual([
    false,
    "a",
    false,
    "",
  ]);
  expect(arrived.join(" ")).not.toContain("lost");
});

test("drop-replies lets the request through and cuts in place of the answer", async () => {
  const { socket, heard } = client();
  await once(socket, "connect");
  await proxy.mode("drop-replies");
  socket.write("taken");
  await poll("it is cut", 60_000, () => heard.closed);
  expect([heard.text, arrived.includes("taken")]).toEqual(["", true]);
});
