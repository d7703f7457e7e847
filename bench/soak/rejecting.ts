import { rejecting } from "./messages.ts";
import { soaked } from "./soaked.ts";

export default soaked(rejecting, "reject");
