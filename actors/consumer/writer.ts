/** The single writer of spaces, wherever its log is. */
import type { BatchMessage } from "../../runtime/actor.ts";
import type { consumer } from "./messages.ts";

export type Writer = {
  /** Outcomes of commands that came by message, one for each; an `Error` among them fails its own. */
  append(messages: readonly BatchMessage<typeof consumer.accepts>[]): Promise<readonly unknown[]>;
  /** Takes commands now. */
  isReady(): boolean;
  stop(): void | Promise<void>;
};
