import { shedding } from "./messages.ts";
import { soaked } from "./soaked.ts";

export default soaked(shedding, "shed");
