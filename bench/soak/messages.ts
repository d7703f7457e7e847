import { type Actor, actor, ask, type Message, type Schema, tell } from "../../runtime/actor.ts";

const of = <T>(): Schema<T> => ({}) as Schema<T>;
type Soaked = { work: Message<number, null>; lossy: Message<number, null>; handled: Message<null, number> };
const soaked = (name: string): Actor<Soaked> =>
  actor(name, new URL(`./${name}.ts`, import.meta.url), {
    work: tell(of<number>()),
    lossy: tell(of<number>(), { lossy: true }),
    handled: ask(of<null>(), of<number>()),
  });

export const waiting = soaked("waiting");
export const rejecting = soaked("rejecting");
export const shedding = soaked("shedding");
