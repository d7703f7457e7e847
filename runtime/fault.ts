/** Faults that a test puts into a running actor from outside, by the control lane: no protocol has a message for them. */

import process from "node:process";

export const faultKinds = ["throw", "exit", "hang"] as const;
/** `throw` is an uncaught error, `exit` ends the thread at once, `hang` never gives the thread back. */
export type FaultKind = (typeof faultKinds)[number];

export const injectedError = (): Error => new Error("Cannot go on: a fault was injected");

/** Does it to the thread that calls this. */
export function injectFault(how: FaultKind): void {
  switch (how) {
    case "throw":
      setTimeout(() => {
        throw injectedError();
      }, 0);
      break;
    case "exit":
      process.exit(7);
      break;
    case "hang":
      for (;;) Math.random();
  }
}
