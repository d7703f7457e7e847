import { behave } from "../../runtime/actor.ts";
import { echo } from "./protocol.ts";

export default behave(echo, {
  mailbox: { limit: 16_384 },
  start: () => ({ taken: 0, versions: 0 }),
  on: {
    take: (state, task) => {
      state.taken += 1;
      state.versions += task.version;
    },
    echo: (_state, task) => task,
    taken: (state) => state.taken,
  },
});
