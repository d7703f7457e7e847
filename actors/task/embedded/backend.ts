/** The log and the read model of one process: the writer's mailbox and its file. */
import type { Ref, Self } from "../../../runtime/actor.ts";
import { causeOf } from "../../cause.ts";
import type { consumer } from "../../consumer/messages.ts";
import { changeCounters } from "../../model/change-counters.ts";
import { registry } from "../../resources/registry.ts";
import type { SpaceBackend } from "../backend.ts";
import { localReads } from "./consistent-reads.ts";
import { localSpaceLog } from "./log.ts";
import { sqliteSpaceReads } from "./reads.ts";

const readyMs = 1_000;
/** Of reads that fail, the log is told one in so long. */
const tellEveryMs = 10_000;

export type LocalBackendOptions = { dataDir: string; verdictMs: number; shared: SharedArrayBuffer; log: Self["log"] };

export function localBackend(writer: Ref<typeof consumer.accepts>, options: LocalBackendOptions): SpaceBackend {
  let toldMs = Number.NEGATIVE_INFINITY;
  const failed = (error: unknown) => {
    if (performance.now() - toldMs < tellEveryMs) return;
    toldMs = performance.now();
    options.log("error", "read-failed", { step: "read tasks.db", reason: causeOf(error) });
  };
  const reads = sqliteSpaceReads(options.dataDir, registry, { failed });
  const counters = changeCounters(options.shared);
  const consistent = localReads({ reads, counters, now: Date.now });
  return {
    log: localSpaceLog(writer, options.verdictMs),
    reads,
    consistent,
    feed: {
      mark: counters.of,
      head: (spaceId) => consistent.head({ userId: spaceId, token: undefined }, spaceId),
      facts: reads.facts,
      memberships: reads.memberships,
      epoch: reads.epoch,
    },
    async ready() {
      reads.position();
      await writer.ask("ready", null, { timeoutMs: readyMs });
    },
    close: async () => reads.close(),
  };
}
