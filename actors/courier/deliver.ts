/** Delivers facts to webhooks: to each in order and one at a time, to many side by side. */
import type { Self } from "../../runtime/actor.ts";
import { causeOf } from "../cause.ts";
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { webhooksMark } from "../resources/webhook.ts";
import { attempts, durations, stopped } from "./counts.ts";
import { factMessage, faultOf, isWanted, type Message, outcomeOf, testMessage } from "./delivery.ts";
import type { Attempt, Deliveries, DeliveryLog, Move } from "./messages.ts";
import type { DeliveryStore, FactSource } from "./ports.ts";
import { afterAttempt, begin, type Progress, replayed, resumed, skipped } from "./schedule.ts";
import type { Send, Sent } from "./send.ts";

/** Attempts at once: a receiver that takes its whole time holds one of them. */
export const inFlightMax = 256;
const factsAtOnce = 50;
/** Webhooks are read again after so long, whatever was heard of them. */
const refreshMs = 10_000;
/** After a failure of the stores, not of a receiver. */
const restMs = 5_000;

export type CourierParts = {
  readonly source: FactSource;
  readonly store: DeliveryStore;
  readonly send: Send;
  readonly key: string;
  readonly siteUrl: string;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Self["log"];
};

export type Courier = {
  /** Begins what is due; to be called now and then. Never throws. */
  tick(): Promise<void>;
  /** Waits for the attempts under way, which are ended. */
  stop(): Promise<void>;
  /** Null: there is no such webhook. */
  deliveries(webhookId: string): Promise<DeliveryLog | null>;
  move(webhookId: string, how: Move): Promise<Deliveries | null>;
  test(webhookId: string): Promise<Attempt | null>;
};

/** The deliveries of one webhook. */
type Line = {
  webhook: Document;
  progress: Progress;
  /** Moved by a person who moves the cursor by hand: what is under way then counts for nothing. */
  turn: number;
  underWay: Promise<void> | undefined;
  /** Of its space when all its facts were delivered. */
  doneMark: number | undefined;
  /** No sooner after a failure of ours, by the clock. */
  restsUntilMs: number;
  readonly ending: AbortController;
};

export function deliverer(parts: CourierParts): Courier {
  const { source, store, send, now, random } = parts;
  /** The one that has waited longest is first. */
  const lines = new Map<string, Line>();
  let known: ReadonlyMap<string, Progress> | undefined;
  let heardMark: number | undefined;
  let readMs = Number.NEGATIVE_INFINITY;
  let inFlight = 0;
  let isFailing = false;
  let isEnding = false;
  let refreshing: Promise<void> | undefined;

  function failed(step: string, failure: unknown): void {
    if (!isFailing) parts.log("error", "deliveries-wait", { step, reason: causeOf(failure) });
    isFailing = true;
  }

  function recovered(): void {
    if (isFailing) parts.log("info", "deliveries-go-on", {});
    isFailing = false;
  }

  /** Takes in which webhooks there are. */
  async function refresh(): Promise<void> {
    const mark = source.mark(webhooksMark);
    if (mark === heardMark && now() - readMs < refreshMs) return;
    const webhooks = await source.webhooks();
    known ??= await store.all();
    const ids = new Set(webhooks.map(({ id }) => id));
    for (const webhook of webhooks) {
      const line = lines.get(webhook.id);
      if (line !== undefined) {
        // Switched on again, or asking for other types: what was passed over stays so.
        if (line.webhook.version !== webhook.version) line.doneMark = undefined;
        line.webhook = webhook;
      } else lines.set(webhook.id, await newLine(webhook));
    }
    for (const [id, line] of lines)
      if (!ids.has(id)) {
        line.ending.abort(new Error("deleted"));
        lines.delete(id);
        await store.remove(id);
      }
    for (const id of known.keys()) if (!ids.has(id)) await store.remove(id);
    known = new Map();
    heardMark = mark;
    readMs = now();
    stopped.set([...lines.values()].filter(({ progress }) => progress.status !== "active").length);
  }

  async function newLine(webhook: Document): Promise<Line> {
    const saved = known?.get(webhook.id);
    const progress = saved ?? begin(await source.createdSeq(webhook));
    if (saved === undefined) await store.save(webhook.id, progress);
    return {
      webhook,
      progress: await behindEnd(webhook, progress),
      turn: 0,
      underWay: undefined,
      doneMark: undefined,
      restsUntilMs: Number.NEGATIVE_INFINITY,
      ending: new AbortController(),
    };
  }

  /** Where the facts were restored from a backup, the cursor may be of facts that are no more. */
  async function behindEnd({ id, spaceId }: Document, progress: Progress): Promise<Progress> {
    const latest = await source.latest(spaceId);
    if (progress.cursor <= latest) return progress;
    parts.log("warn", "cursor-ahead", { webhookId: id, cursor: progress.cursor, latest });
    return { ...progress, cursor: latest };
  }

  function isDue({ webhook, progress, underWay, doneMark, restsUntilMs }: Line): boolean {
    if (underWay !== undefined || webhook.fields.active !== true || progress.status !== "active") return false;
    const nowMs = now();
    if (nowMs < progress.dueMs || nowMs < restsUntilMs) return false;
    return doneMark === undefined || doneMark !== source.mark(webhook.spaceId);
  }

  function launch(id: string, line: Line): void {
    lines.delete(id);
    lines.set(id, line);
    inFlight += 1;
    line.underWay = deliverAll(line)
      .then(recovered, (failure) => {
        line.restsUntilMs = now() + restMs;
        failed("deliver to webhooks", failure);
      })
      .finally(() => {
        inFlight -= 1;
        line.underWay = undefined;
      });
  }

  /** Until all is delivered, an attempt fails, or somebody has moved the cursor. */
  async function deliverAll(line: Line): Promise<void> {
    while (!line.ending.signal.aborted && !isEnding && line.webhook.fields.active === true) {
      const { turn, webhook } = line;
      const mark = source.mark(webhook.spaceId);
      const facts = await source.facts(webhook.spaceId, line.progress.cursor, factsAtOnce);
      if (line.turn !== turn) return;
      const last = facts.at(-1)?.seq;
      if (last === undefined) {
        line.doneMark = mark;
        return;
      }
      // What comes from a change of the webhook itself on is chosen and signed as it says.
      if (facts.some((fact) => isAheadOf(webhook, fact))) {
        heardMark = undefined;
        await refreshed();
        continue;
      }
      const next = facts.find((fact) => isWanted(webhook, fact));
      const passed = next === undefined ? last : (next.seq as number) - 1;
      if (passed > line.progress.cursor) {
        const progress = { ...line.progress, cursor: passed };
        await store.save(webhook.id, progress);
        if (line.turn !== turn) return;
        line.progress = progress;
      }
      if (next === undefined) continue;
      const { sent, attempt } = await attempted(line, next.seq as number, (nowMs) =>
        factMessage(webhook, next, { ...parts, nowMs }),
      );
      if (line.ending.signal.aborted) return;
      const outcome = outcomeOf(sent, now());
      attempts.of(outcome.kind).add();
      const isOvertaken = line.turn !== turn;
      const progress = isOvertaken
        ? line.progress
        : afterAttempt(line.progress, next.seq as number, outcome, { nowMs: now(), random: random() });
      // The cursor moves after the answer, durably: who ends in between delivers once more, under the same id.
      await store.save(webhook.id, progress, attempt);
      if (line.turn !== turn) return;
      line.progress = progress;
      if (progress.status !== "active") {
        stopped.add();
        parts.log("warn", "webhook-stopped", { webhookId: webhook.id, status: progress.status });
      }
      if (outcome.kind !== "delivered") return;
    }
  }

  async function attempted(
    line: Line,
    seq: number | null,
    message: (nowMs: number) => Message,
  ): Promise<{ sent: Sent; attempt: Attempt }> {
    const nowMs = now();
    const startMs = performance.now();
    const sent = await send({ ...message(nowMs), signal: line.ending.signal });
    const durationMs = Math.round(performance.now() - startMs);
    durations.observe(durationMs / 1_000);
    const at = new Date(nowMs).toISOString();
    return { sent, attempt: { seq, at, status: sent.status ?? null, durationMs, error: faultOf(sent) } };
  }

  /** The webhook's line, also where it was made a moment ago. */
  async function lineOf(webhookId: string): Promise<Line | undefined> {
    await refreshed();
    // The one that was joined may have begun before it was made.
    if (!lines.has(webhookId)) await refreshed();
    return lines.get(webhookId);
  }

  /** One at a time. */
  function refreshed(): Promise<void> {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  async function moveLine(
    webhookId: string,
    to: (line: Line) => Progress | Promise<Progress>,
  ): Promise<Deliveries | null> {
    const line = await lineOf(webhookId);
    if (line === undefined) return null;
    const progress = await to(line);
    line.turn += 1;
    line.progress = progress;
    line.doneMark = undefined;
    await store.save(webhookId, progress);
    stopped.set([...lines.values()].filter((each) => each.progress.status !== "active").length);
    return shown(progress);
  }

  async function movedBy({ webhook, progress }: Line, how: Move): Promise<Progress> {
    if (how.kind === "resume") return resumed(progress);
    // Facts that are to come are not passed over.
    if (how.kind === "replay") return replayed(Math.min(how.from, (await source.latest(webhook.spaceId)) + 1));
    const facts = await source.facts(webhook.spaceId, progress.cursor, factsAtOnce);
    const next = facts.find((fact) => isWanted(webhook, fact))?.seq ?? facts.at(-1)?.seq;
    return next === undefined || (how.seq !== null && how.seq !== next) ? progress : skipped(progress, next);
  }

  return {
    async tick() {
      if (isEnding) return;
      try {
        await refreshed();
      } catch (failure) {
        failed("read the webhooks", failure);
      }
      for (const [id, line] of [...lines]) if (inFlight < inFlightMax && isDue(line)) launch(id, line);
    },
    async stop() {
      isEnding = true;
      for (const { ending } of lines.values()) ending.abort(new Error("the process ends"));
      await Promise.all([...lines.values()].map(({ underWay }) => underWay));
    },
    async deliveries(webhookId) {
      const line = await lineOf(webhookId);
      return line === undefined ? null : { ...shown(line.progress), items: await store.attempts(webhookId) };
    },
    move: (webhookId, how) => moveLine(webhookId, (line) => movedBy(line, how)),
    async test(webhookId) {
      const line = await lineOf(webhookId);
      if (line === undefined) return null;
      const id = crypto.randomUUID();
      const { attempt } = await attempted(line, null, (nowMs) => testMessage(line.webhook, id, { ...parts, nowMs }));
      await store.save(webhookId, line.progress, attempt);
      return attempt;
    },
  };
}

/** Whether the fact made a newer version of the webhook than this one. */
function isAheadOf({ id, version }: Document, { changes }: Fact): boolean {
  return changes.some((change) => change.id === id && change.version > version);
}

function shown({ status, cursor, failures, dueMs }: Progress): Deliveries {
  const isWaiting = status === "active" && failures > 0;
  return { status, cursor, failures, nextAttemptAt: isWaiting ? new Date(dueMs).toISOString() : null };
}
