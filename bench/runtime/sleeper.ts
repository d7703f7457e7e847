import { behave } from "../../runtime/actor.ts";
import { sleeper } from "./protocol.ts";

export default behave(sleeper, {
  start: (self) => self,
  on: {
    wait: async (self, ms) => {
      await self.sleep(ms);
      return null;
    },
    work: (_self, ms) => {
      for (const endMs = performance.now() + ms; performance.now() < endMs; );
      return null;
    },
  },
});
