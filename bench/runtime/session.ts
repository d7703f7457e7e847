import { behave } from "../../runtime/actor.ts";
import { session } from "./protocol.ts";

export default behave(session, {
  start: () => ({ count: 0 }),
  on: {
    add: (state) => ++state.count,
    fail: () => {
      throw new Error("as told");
    },
  },
});
