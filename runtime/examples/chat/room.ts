import { actor, ask, behave, tell, topic } from "../../mod.ts";

export type Line = { readonly from: string; readonly text: string };
/** What is said in the room, to whoever listens. */
export const spoken = topic<Line>("spoken");

export const room = actor("room", { say: tell<Line>(), history: ask<null, Line[]>() });

const LINES_MAX = 100;

export default behave(room, {
  start: (self) => ({ self, lines: [] as Line[] }),
  on: {
    say: ({ self, lines }, line) => {
      lines.push(line);
      if (lines.length > LINES_MAX) lines.shift();
      self.publish(spoken, line);
    },
    history: ({ lines }) => lines,
  },
});
