import process from "node:process";
import { behave } from "../../runtime/actor.ts";
import { spared } from "./protocol.ts";

export default behave(spared, {
  concurrency: 100,
  start: () => null,
  on: {
    echo: (_state, task) => task,
    hold: () => new Promise(() => undefined),
    die: () => process.exit(1),
  },
});
