/** The writer of one process: what its mailbox holds is one batch, committed to SQLite, then answered. */
import { join } from "node:path";
import type { BatchMessage, Self } from "../../runtime/actor.ts";
import { causeOf } from "../cause.ts";
import type { Outcome } from "../model/command.ts";
import { generations } from "../model/generations.ts";
import { reportHealth } from "../report-health.ts";
import { naming } from "../sqlite-file.ts";
import { sqliteHealth } from "../sqlite-health.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { apply, type Delivery, UndecidableError } from "./apply.ts";
import { openDatabase, tasksFile } from "./database.ts";
import type { consumer } from "./messages.ts";
import { mailboxSource } from "./source-mailbox.ts";
import { sqliteStore } from "./store-sqlite.ts";
import type { Writer } from "./writer.ts";
import { counted } from "./writer-counts.ts";
import { batchTrace } from "./writer-trace.ts";

const cleanPauseMs = 5;
/** After a failure, such as a full disk. */
const cleanAgainMs = 5_000;

type Body = Pick<Self, "name" | "log" | "fail" | "shared" | "publish">;

export function localWriter(self: Body, dataDir: string, tracer?: Tracer): Writer {
  const told = generations(self.shared);
  // The writer before may have been cut off between a commit and its count.
  told.changedAll();
  const db = openDatabase(dataDir);
  const path = join(dataDir, tasksFile.name);
  const store = naming(path, () => sqliteStore(db));
  const health = sqliteHealth(db, path);
  const endReports = reportHealth(self, { disk: health.probe });
  let source = mailboxSource(store.end());
  /** The latest batch could not be committed: told in the log once, not for each try. */
  let failing = false;

  let cleaning: ReturnType<typeof setTimeout> | undefined;
  /** A part at a time, with room for others in between; what is left at a stop is gone on with at the next start. */
  function clean(pauseMs = cleanPauseMs): void {
    cleaning ??= setTimeout(() => {
      cleaning = undefined;
      try {
        if (store.clean()) clean();
        else told.changedAll();
      } catch (error) {
        self.log("warn", "erasure-waits", { step: "overwrite what is erased in tasks.db", reason: causeOf(error) });
        clean(cleanAgainMs);
      }
    }, pauseMs);
  }
  clean();

  /** A command that cannot be decided fails alone. */
  async function taken(deliveries: readonly Delivery[]): Promise<Map<Delivery, Outcome | Error>> {
    const answers = new Map<Delivery, Outcome | Error>();
    for (;;) {
      const rest = deliveries.filter((each) => !answers.has(each));
      try {
        const trace = batchTrace(tracer, rest);
        const outcomes = await counted(() => apply(store, rest));
        trace?.written(outcomes);
        for (const outcome of outcomes) if (outcome?.verdict === "applied") told.changed(outcome.taskId);
        if (rest.some(({ command }) => command.kind === "erase")) clean();
        for (const [index, delivery] of rest.entries())
          answers.set(delivery, outcomes[index] ?? new Error("Cannot answer"));
        return answers;
      } catch (error) {
        if (!(error instanceof UndecidableError)) throw error;
        self.log("error", "undecidable", {
          reason: causeOf(error.cause),
          operationId: error.delivery.command.operationId,
        });
        answers.set(error.delivery, error);
      }
    }
  }

  return {
    async append(messages: readonly BatchMessage<typeof consumer.accepts>[]) {
      try {
        const deliveries = source.deliveries(messages.flatMap((each) => (each.kind === "append" ? [each.body] : [])));
        const answers = await taken(deliveries);
        if (failing) self.log("info", "commits-again", {});
        failing = false;
        return deliveries.map((delivery) => answers.get(delivery));
      } catch (error) {
        health.failed(error);
        recover(error as Error);
        return messages.map(() => error);
      }
    },
    isReady: health.isWritable,
    stop() {
      endReports();
      clearTimeout(cleaning);
      db.close();
    },
  };

  /**
   * After a batch that was rolled back (a full disk, for one) the numbers go on from what the file has, and whoever asked repeats: dying of it
   * would use up the supervisor's patience while the disk stays full. Only a file that cannot be read either needs a fresh start.
   */
  function recover(error: Error): void {
    told.changedAll();
    try {
      source = mailboxSource(store.end());
    } catch {
      self.fail(error);
      return;
    }
    if (!failing) self.log("error", "commit-failed", { step: "commit to tasks.db", reason: causeOf(error) });
    failing = true;
  }
}
