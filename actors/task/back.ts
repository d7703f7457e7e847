/** What the `task` role stands on: the log and the read model, wherever they are. */
import type { Latest, Log, Reads } from "./ports.ts";

export type Back = {
  readonly log: Log;
  readonly reads: Reads;
  readonly latest: Latest;
  /** Throws when changes cannot be taken now. */
  ready(): Promise<void>;
  close(): Promise<void>;
};
