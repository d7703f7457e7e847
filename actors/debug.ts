/** Ends the actor that takes the message, from inside: how the tests prove that the others go on. Only reachable with TT_DEBUG_FAULTS=1. */
import process from "node:process";

export const faultKinds = ["throw", "exit", "hang"] as const;
export type FaultKind = (typeof faultKinds)[number];

/** `throw` is an uncaught error, `exit` ends the thread at once, `hang` never gives the thread back. */
export function fault(how: FaultKind): void {
  switch (how) {
    case "throw":
      setTimeout(() => {
        throw new Error("Cannot go on: told to throw by a debug message");
      });
      break;
    case "exit":
      process.exit(7);
      break;
    case "hang":
      for (;;) Math.random();
  }
}
