import { behave } from "../../runtime/actor.ts";
import { local } from "./protocol.ts";

export default behave(local, {
  start: () => ({ taken: 0 }),
  on: {
    echo: (_state, task) => task,
    take: (state) => {
      state.taken++;
    },
    taken: (state) => state.taken,
  },
});
