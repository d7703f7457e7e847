import { behave } from "../../runtime/actor.ts";
import { transfer } from "../../runtime/bytes.ts";
import { blob } from "./protocol.ts";

export default behave(blob, {
  start: () => null,
  on: { copied: (_state, bytes) => bytes, moved: (_state, bytes) => transfer(bytes) },
});
