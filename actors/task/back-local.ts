/** The log and the read model of one process: the writer's mailbox and its file. */
import type { Ref } from "../../runtime/actor.ts";
import type { consumer } from "../consumer/messages.ts";
import { generations } from "../model/generations.ts";
import type { Back } from "./back.ts";
import { latestInSqlite } from "./latest-sqlite.ts";
import { localLog } from "./log-local.ts";
import { sqliteReads } from "./reads-sqlite.ts";

const readyMs = 1_000;

export type LocalBackOptions = { dataDir: string; verdictMs: number; shared: SharedArrayBuffer };

export function localBack(writer: Ref<typeof consumer.accepts>, options: LocalBackOptions): Back {
  const reads = sqliteReads(options.dataDir);
  return {
    log: localLog(writer, options.verdictMs),
    reads,
    latest: latestInSqlite({ reads, generations: generations(options.shared), now: Date.now }),
    async ready() {
      reads.position();
      await writer.ask("ready", null, { withinMs: readyMs });
    },
    close: async () => reads.close(),
  };
}
