/** What the edge of spaces stands on: the log and the read model, wherever they are. */

import type { FeedSource } from "./feed-source.ts";
import type { ConsistentReads, SpaceLog, SpaceReads } from "./ports.ts";

export type SpaceBackend = {
  readonly log: SpaceLog;
  readonly reads: SpaceReads;
  readonly consistent: ConsistentReads;
  readonly feed: FeedSource;
  /** Throws when changes cannot be taken now. */
  ready(): Promise<void>;
  close(): Promise<void>;
};
