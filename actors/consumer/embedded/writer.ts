/** The writer of spaces in one process: what its mailbox holds is one batch, decided, committed to SQLite in one transaction, then answered. */
import { join } from "node:path";
import { v5 as uuidv5 } from "uuid";
import type { BatchMessage, Self } from "../../../runtime/actor.ts";
import { causeOf } from "../../cause.ts";
import { reportHealth } from "../../health/report-health.ts";
import { changeCounters } from "../../model/change-counters.ts";
import type { Command } from "../../resources/command.ts";
import { factOf } from "../../resources/decide.ts";
import { unmadeHead } from "../../resources/head.ts";
import { registry } from "../../resources/registry.ts";
import type { Told, Verdict } from "../../resources/verdict.ts";
import { webhook, webhooksMark } from "../../resources/webhook.ts";
import { naming } from "../../sqlite/file.ts";
import { sqliteHealth } from "../../sqlite/health.ts";
import type { Tracer } from "../../tracing/tracer.ts";
import type { consumer } from "../messages.ts";
import { PartitionWriter, UndecidableError } from "../partition-writer.ts";
import { takeTrace } from "../servers/writer-trace.ts";
import type { SpaceDelivery } from "../write-ports.ts";
import type { Writer } from "../writer.ts";
import { countedTake } from "../writer-counts.ts";
import { openSpaceDatabase, spacesFile } from "./database.ts";
import { sqliteErasures } from "./erasures.ts";
import { sqliteFactStore } from "./fact-store.ts";
import { localPartition } from "./partition.ts";

const cleanPauseMs = 5;
/** Refusals whose day is over go a few at a time. */
const expireMs = 10_000;
const expireStepsMax = 10;
/** After a failure, such as a full disk. */
const cleanAgainMs = 5_000;

type Body = Pick<Self, "name" | "log" | "fail" | "shared" | "publish">;

type Message = BatchMessage<typeof consumer.accepts>;
type Taking = { readonly command: Command; readonly isResent: boolean };
type Taken = { readonly position: { readonly partition: 0; readonly offset: number }; readonly verdict: Verdict };

export function localSpaceWriter(self: Body, dataDir: string, tracer?: Tracer): Writer {
  const told = changeCounters(self.shared);
  // The writer before may have been cut off between a commit and its count.
  told.changedAll();
  const db = openSpaceDatabase(dataDir);
  const path = join(dataDir, spacesFile.name);
  const store = naming(path, () => sqliteFactStore(db, registry));
  const health = sqliteHealth(db, path);
  const endReports = reportHealth(self, { disk: health.probe });
  const erasures = naming(path, () => sqliteErasures(db));
  const partition = localPartition(store);
  let writer: PartitionWriter | undefined;
  /** The latest batch could not be committed: told in the log once, not for each try. */
  let isFailing = false;

  /** All of it or nothing. */
  async function committed(takings: readonly Taking[]): Promise<Taken[]> {
    writer ??= await PartitionWriter.takeOver({ ...partition.ports, registry });
    const { next } = writer;
    const deliveries = takings.map(
      ({ command, isResent }, at): SpaceDelivery => ({ position: next + at, command, isResent }),
    );
    const trace = takeTrace(tracer, 0, deliveries);
    const taking = writer;
    const all = await countedTake(async () => {
      const answers = await taking.take(deliveries);
      while (await taking.project());
      return answers;
    });
    trace?.(all);
    const verdicts = all.map(decided);
    for (const verdict of verdicts) {
      if (verdict.kind !== "decided" || verdict.fact.seq === undefined) continue;
      told.changed(verdict.spaceId);
      for (const { id, type, fields } of verdict.documents) {
        told.changed(id);
        if (type === "member") told.changed(fields.userId as string);
        if (type === webhook.name || type === "space") told.changed(webhooksMark);
      }
    }
    return verdicts.map((verdict, at) => ({ position: { partition: 0, offset: next + at }, verdict }));
  }

  /** A command on which nothing can be decided fails alone. */
  async function taken(all: readonly Taking[]): Promise<(Taken | Error)[]> {
    const answers = new Map<Taking, Taken | Error>();
    for (const each of all) if (erasures.isErased(each.command.userId)) answers.set(each, refused(each));
    for (;;) {
      const rest = all.filter((each) => !answers.has(each));
      try {
        if (rest.length > 0)
          for (const [at, each] of (await committed(rest)).entries()) answers.set(rest[at] as Taking, each);
        return all.map((each) => answers.get(each) ?? new Error("Cannot answer"));
      } catch (error) {
        writer = undefined;
        partition.forget();
        if (!(error instanceof UndecidableError)) throw error;
        const { command } = error.delivery;
        self.log("error", "undecidable", { reason: causeOf(error.cause), operationId: command.operationId });
        const failed = rest.find((each) => each.command === command);
        if (failed === undefined) throw error;
        answers.set(failed, error);
      }
    }
  }

  /** Ends the user's memberships, blanks what nobody is left in, and takes nothing of this user any more. May be asked again for the same user. */
  async function erased({ userId, at }: { userId: string; at: string }): Promise<null> {
    const spaceIds = erasures.spacesOf(userId).filter((spaceId) => spaceId !== userId);
    const leaving = spaceIds.map((spaceId): Taking => {
      const operationId = uuidv5(`leave ${spaceId}`, userId);
      return {
        isResent: true,
        command: { kind: "leave", operationId, keyed: true, fingerprint: "", spaceId, userId, at },
      };
    });
    if (leaving.length > 0) await committed(leaving);
    const { heads } = await store.read({ heads: spaceIds, documents: [], operations: [], seqs: [] });
    const empty = heads.filter(({ members }) => members.length === 0).map(({ spaceId }) => spaceId);
    erasures.mark(userId, [userId, ...empty]);
    // What is remembered of these spaces is no more.
    writer = undefined;
    for (const spaceId of [userId, ...empty]) told.changed(spaceId);
    told.changed(webhooksMark);
    clean();
    return null;
  }

  let cleaning: ReturnType<typeof setTimeout> | undefined;
  /** A part at a time, with room for others in between; what is left at a stop is gone on with at the next start. */
  function clean(pauseMs = cleanPauseMs): void {
    cleaning ??= setTimeout(() => {
      cleaning = undefined;
      try {
        if (erasures.clean()) clean();
        else told.changedAll();
      } catch (error) {
        self.log("warn", "erasure-waits", {
          step: `overwrite what is erased in ${spacesFile.name}`,
          reason: causeOf(error),
        });
        clean(cleanAgainMs);
      }
    }, pauseMs);
  }
  clean();

  const expiring = setInterval(() => {
    try {
      for (let steps = 0; steps < expireStepsMax && store.expire(); steps++);
    } catch (error) {
      self.log("warn", "expiry-waits", { step: `remove old refusals from ${spacesFile.name}`, reason: causeOf(error) });
    }
  }, expireMs);

  /** What comes of an erased user is refused, and leaves no record. */
  function refused({ command }: Taking): Taken {
    const position = store.position();
    const fact = factOf(command, position, unmadeHead(command.spaceId), {
      verdict: "rejected",
      refusal: { code: "not-found", change: 0 },
    });
    const { operationId, spaceId } = command;
    return {
      position: { partition: 0, offset: position },
      verdict: { kind: "decided", position, operationId, spaceId, fact, documents: [] },
    };
  }

  /** In their order: what comes before an erasure is committed before it begins. */
  async function inOrder(messages: readonly Message[]): Promise<(Taken | Error | null)[]> {
    const answers: (Taken | Error | null)[] = [];
    for (let at = 0; at < messages.length; ) {
      const end = messages.findIndex((each, place) => place >= at && each.kind !== "take");
      const run = messages.slice(at, end < 0 ? undefined : end);
      answers.push(...(await taken(run.map(({ body }) => body as Taking))));
      at += run.length;
      const other = messages[at];
      if (other === undefined) break;
      answers.push(
        other.kind === "erase" ? await erased(other.body) : new Error("Cannot take this: it is no command of a space"),
      );
      at += 1;
    }
    return answers;
  }

  return {
    async append(messages) {
      try {
        const answers = await inOrder(messages);
        if (isFailing) self.log("info", "commits-again", {});
        isFailing = false;
        return answers;
      } catch (error) {
        health.failed(error);
        told.changedAll();
        if (!isFailing)
          self.log("error", "commit-failed", { step: `commit to ${spacesFile.name}`, reason: causeOf(error) });
        isFailing = true;
        return messages.map(() => error as Error);
      }
    },
    isReady: health.isWritable,
    stop() {
      endReports();
      clearTimeout(cleaning);
      clearInterval(expiring);
      db.close();
    },
  };
}

/** A command that comes by message is always one: nothing is set aside. */
function decided(told: Told): Verdict {
  if (told.kind === "parked") throw new Error(`Cannot answer position ${told.position}: ${told.reason}`);
  return told;
}
