import { behave } from "../../runtime/actor.ts";
import { pool } from "./protocol.ts";

export default behave(pool, { start: () => null, on: { echo: (_state, task) => task } });
