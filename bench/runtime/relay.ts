import { behave } from "../../runtime/actor.ts";
import { inFlight } from "./load.ts";
import { echo, relay, taskOf } from "./protocol.ts";

export default behave(relay, {
  start: (self) => ({ to: self.ref(echo) }),
  on: {
    run: async ({ to }, load) => {
      await inFlight(load, (each) => to.ask("echo", taskOf(each)));
      return null;
    },
  },
});
