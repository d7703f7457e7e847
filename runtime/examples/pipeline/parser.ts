import { actor, ask, behave, tell } from "../../mod.ts";

export type Reading = { readonly id: number; readonly celsius: number };

/** Makes a reading of a line such as `7;21.5`. It is told of lines that it cannot survive, to show what becomes of them. */
export const parser = actor("parser", { parse: ask<string, Reading>(), poison: tell<number[]>() });

export default behave(parser, {
  start: (self) => ({ self, poison: new Set<number>() }),
  on: {
    poison: ({ poison }, ids) => {
      for (const id of ids) poison.add(id);
    },
    parse: ({ self, poison }, line) => {
      const [id, celsius] = line.split(";").map(Number) as [number, number];
      // A fault of the program, not of the line: the actor ends, and begins anew with a new state.
      if (poison.has(id)) self.fail(new Error(`crashed at line ${id}`));
      if (Number.isNaN(celsius)) throw new RangeError(`line ${id} has no number`);
      return { id, celsius };
    },
  },
});
