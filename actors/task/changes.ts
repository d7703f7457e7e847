/** Changes of spaces: append a command and tell what became of it. */
import { histogram } from "../metrics/registry.ts";
import type { Position } from "../model/position.ts";
import { Problem } from "../model/problem.ts";
import { type Command, commandName } from "../resources/command.ts";
import { decide, factOf } from "../resources/decide.ts";
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { personalHead } from "../resources/head.ts";
import { registry } from "../resources/registry.ts";
import { text, whole } from "../tracing/exporter.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { type Outcome, seqOf } from "./change-answers.ts";
import { isCertain } from "./commands.ts";
import { consistencyToken } from "./conditions.ts";
import { all, type MaybePromise, then } from "./maybe-promise.ts";
import { documentAt } from "./past.ts";
import type { ConsistentReads, SpaceAppended, SpaceLog, SpaceReads } from "./ports.ts";

export type SpaceChanges = {
  /** Resolves to the outcome, refusals included, or to what is known of an operation that is not decided in time. Throws `log-unavailable`, `overloaded`. */
  change(command: Command): Promise<Outcome>;
  /** The documents that a fact is answered with, as its operation left them. */
  documentsOf(fact: Fact): MaybePromise<ReadonlyMap<string, Document>>;
};

export type SpaceChangesParts = {
  readonly log: SpaceLog;
  readonly reads: Pick<SpaceReads, "changes">;
  readonly consistent: Pick<ConsistentReads, "wrote" | "isStale">;
  readonly tracer?: Tracer | undefined;
};

const verdicts = histogram(
  "verdict_duration_seconds",
  "From a command to what the writer decided, as the edge waits for it; pending: not in time.",
  { labels: ["verdict"] },
);
const took = {
  applied: verdicts.of("applied"),
  unchanged: verdicts.of("unchanged"),
  rejected: verdicts.of("rejected"),
  replayed: verdicts.of("replayed"),
  pending: verdicts.of("pending"),
} as const;

export function spaceChanges({ log, reads, consistent, tracer }: SpaceChangesParts): SpaceChanges {
  function documentsOf(fact: Fact): MaybePromise<ReadonlyMap<string, Document>> {
    const seq = seqOf(fact);
    const found = [...new Set(fact.answers)].map((id) => documentAt(reads, fact.spaceId, id, { seq }));
    return then(all(found), (documents) => byId(documents.flatMap((document) => document ?? [])));
  }

  /** What is read back is what the read model has: before it has this operation, that would be what was there before. */
  async function readModelHas({ userId }: Command, token: Position): Promise<boolean> {
    try {
      await consistent.isStale({ userId, token });
      return true;
    } catch (failure) {
      if (failure instanceof Problem && failure.code === "not-yet-visible") return false;
      throw failure;
    }
  }

  /** Undefined: the log has it, and no verdict is known. */
  function outcomeOf(command: Command, { position, verdict }: SpaceAppended): MaybePromise<Outcome> {
    if (verdict === undefined) return certainOutcome(command, position);
    const settled = (fact: Fact, isReplayed: boolean, found: MaybePromise<ReadonlyMap<string, Document>>) =>
      then(found, (documents): Outcome => ({ kind: "settled", fact, position, isReplayed, documents }));
    switch (verdict.kind) {
      case "decided": {
        const { fact, documents } = verdict;
        const isReadBack = documents.length === 0 && fact.answers.length > 0;
        if (!isReadBack) return settled(fact, false, byId(documents));
        return readModelHas(command, position).then((hasIt) =>
          hasIt
            ? settled(fact, false, documentsOf(fact))
            : { kind: "pending", operationId: command.operationId, position },
        );
      }
      case "repeated": {
        const { first, isSame } = verdict;
        if (!isSame)
          throw new Problem("idempotency-mismatch", undefined, {
            headers: { "consistency-token": consistencyToken(position) },
          });
        return readModelHas(command, position).then((hasIt) => {
          if (!hasIt) throw new Problem("not-yet-visible");
          return settled(first, true, documentsOf(first));
        });
      }
      case "expired":
        throw new Problem("log-unavailable", "What became of this change is not known any more.");
    }
  }

  return {
    documentsOf,
    async change(command) {
      const startMs = performance.now();
      const appended = await traced(command, () => log.append(command, { verdict: !isCertain(command) }));
      const outcome = await outcomeOf(command, appended);
      const name = outcome.kind === "pending" ? "pending" : outcome.isReplayed ? "replayed" : outcome.fact.verdict;
      if (appended.verdict !== undefined || outcome.kind === "pending")
        took[name].observe((performance.now() - startMs) / 1_000);
      await consistent.wrote({
        command,
        position: appended.position,
        documents: outcome.kind === "settled" && !outcome.isReplayed ? [...outcome.documents.values()] : [],
        isPending: outcome.kind === "pending",
      });
      return outcome;
    },
  };

  /** Runs the append in a span, below which the writer goes on. */
  async function traced(command: Command, append: () => Promise<SpaceAppended>): Promise<SpaceAppended> {
    const { traceparent: parent, operationId } = command;
    const span = tracer?.start(`append ${commandName(command)}`, { kind: "producer", parent, onlyWithin: true });
    if (span === undefined) return append();
    (command as { traceparent?: string }).traceparent = span.traceparent;
    try {
      const appended = await append();
      const { partition, offset } = appended.position;
      span.end([
        text("tt.operation_id", operationId),
        whole("tt.log.partition", partition),
        whole("tt.log.offset", offset),
      ]);
      return appended;
    } catch (failure) {
      span.end([text("tt.operation_id", operationId)], { failed: true });
      throw failure;
    }
  }
}

/** A creation that cannot be refused is decided here as the writer will decide it, but for its `seq`. */
function certainOutcome(command: Command, position: Position): Outcome {
  const { operationId, userId } = command;
  if (!isCertain(command)) return { kind: "pending", operationId, position };
  const head = personalHead(userId);
  const none = () => [];
  const view = { head, document: () => null, fact: () => null, operation: () => null, referrers: none, ranged: none };
  const decision = decide(registry, view, command);
  if (decision.verdict !== "applied") throw new Error("Cannot answer: a creation that nothing refuses was refused");
  const fact = factOf(command, position.offset, head, decision);
  return { kind: "settled", fact, position, isReplayed: false, documents: byId(decision.documents) };
}

function byId(documents: readonly Document[]): ReadonlyMap<string, Document> {
  return new Map(documents.map((document) => [document.id, document]));
}
