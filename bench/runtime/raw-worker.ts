/** What one would write with worker_threads alone: an object in, an object out. */

import process from "node:process";
import { type MessagePort, parentPort } from "node:worker_threads";
import { inFlight } from "./load.ts";
import { type Load, type Task, taskOf } from "./protocol.ts";
import { type Pending, settle } from "./raw-asks.ts";

export type ToRaw =
  | { readonly kind: "take"; readonly body: Task }
  | { readonly kind: "echo"; readonly id: number; readonly body: Task }
  | { readonly kind: "taken"; readonly id: number }
  | { readonly kind: "peer"; readonly port: MessagePort }
  | { readonly kind: "run"; readonly id: number; readonly body: Load }
  | { readonly kind: "blob"; readonly id: number; readonly body: Uint8Array<ArrayBuffer>; readonly isMoved: boolean }
  | { readonly kind: "die" };

const main = parentPort as MessagePort;
const pending: Pending = new Map();
let taken = 0;
let versions = 0;
let peer: MessagePort | undefined;
let lastId = 0;

const echoOn = (port: MessagePort): void => {
  port.on("message", (message: ToRaw | { readonly id: number; readonly body: unknown }) => {
    if ("kind" in message && message.kind === "echo") port.postMessage({ id: message.id, body: message.body });
    else if (!("kind" in message)) settle(pending, message);
  });
};

main.on("message", (message: ToRaw) => {
  switch (message.kind) {
    case "take":
      taken += 1;
      versions += message.body.version;
      break;
    case "echo":
      main.postMessage({ id: message.id, body: message.body });
      break;
    case "blob":
      main.postMessage({ id: message.id, body: message.body }, message.isMoved ? [message.body.buffer] : []);
      break;
    case "taken":
      main.postMessage({ id: message.id, body: taken });
      break;
    case "peer":
      peer = message.port;
      echoOn(peer);
      break;
    case "run":
      void inFlight(message.body, (each) => {
        const id = ++lastId;
        return new Promise((resolve) => {
          pending.set(id, resolve);
          peer?.postMessage({ kind: "echo", id, body: taskOf(each) });
        });
      }).then(() => main.postMessage({ id: message.id, body: versions }));
      break;
    case "die":
      process.exit(1);
  }
});
main.postMessage({ id: 0, body: "ready" });
