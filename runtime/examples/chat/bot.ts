import { actor, behave, tell } from "../../mod.ts";
import { type Line, room, spoken } from "./room.ts";

/** Someone in the room who answers those who ask for it. */
export const bot = actor("bot", { heard: tell<Line>() });

export default behave(bot, {
  start: (self) => {
    self.subscribe(spoken, "heard");
    return self.ref(room);
  },
  on: {
    heard: async (to, { from, text }) => {
      if (from === "bot" || !text.startsWith("bot,")) return;
      const lines = await to.ask("history", null);
      const said = lines.filter((line) => line.from === from).length;
      await to.tell("say", { from: "bot", text: `${from}, you have said ${said} lines` });
    },
  },
});
