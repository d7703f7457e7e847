import process from "node:process";
import { behave } from "../../runtime/actor.ts";
import { mortal } from "./protocol.ts";

export default behave(mortal, {
  concurrency: 100,
  start: () => null,
  on: {
    echo: (_state, task) => task,
    hold: () => new Promise(() => undefined),
    die: () => process.exit(1),
  },
});
