import { waiting } from "./messages.ts";
import { soaked } from "./soaked.ts";

export default soaked(waiting, "wait");
