/** Delivers facts to webhooks: to each in order and one at a time, to many side by side. */
import type { Self } from "../../runtime/actor.ts";
import { causeOf } from "../cause.ts";
import type { Document } from "../resources/document.ts";
import { webhooksMark } from "../resources/webhook.ts";
import { settles } from "../waiting.ts";
import { Line, type LineParts } from "./line.ts";
import type { DeliveryLog, Progress, WebhookOutcome, WebhookRequest } from "./messages.ts";
import { SupersededCourierError, type WebhookKey } from "./ports.ts";
import { begin } from "./schedule.ts";

/** Webhooks are read again after so long, whatever was announced of them. */
const refreshMs = 10_000;
/** After a failure of the stores, not of a receiver. */
const cooldownMs = 5_000;

const graceMs = 1_000;

/** Attempts at once, of all couriers of a process: a receiver that takes its whole time holds one of them. */
export type Room = { left: number };
export const attemptsMax = 256;

export type CourierParts = Omit<LineParts, "refresh" | "stopped" | "mayBegin"> & {
  readonly log: Self["log"];
  readonly room: Room;
  /** How many webhooks are paused or disabled. */
  readonly countStopped: (count: number) => void;
  readonly mayBegin?: LineParts["mayBegin"];
  /** Another courier delivers for these spaces now. */
  readonly superseded?: (error: Error) => void;
};

export type Courier = {
  /** Begins what is due; to be called now and then. Never throws. */
  tick(): Promise<void>;
  /** Begins nothing more. What is under way has a moment to be answered, then it is ended. */
  stop(): Promise<void>;
  /** Null: there is no such webhook. */
  deliveries(webhookId: string): Promise<DeliveryLog | null>;
  request(webhookId: string, request: WebhookRequest): Promise<WebhookOutcome | null>;
};

export function deliverer(parts: CourierParts): Courier {
  const { source, store, now, room } = parts;
  /** The one that has waited longest is first. */
  const lines = new Map<string, Line>();
  /** Of webhooks that have no line: of a deleted space, for one. */
  let resting: Map<string, WebhookKey & { readonly progress: Progress }> | undefined;
  let readMark: number | undefined;
  let readMs = Number.NEGATIVE_INFINITY;
  let isFailing = false;
  let isEnding = false;
  let refreshing: Promise<void> | undefined;

  function failed(step: string, failure: unknown): void {
    if (isEnding) return;
    if (failure instanceof SupersededCourierError) {
      parts.superseded?.(failure);
      return;
    }
    if (!isFailing) parts.log("error", "deliveries-wait", { step, reason: causeOf(failure) });
    isFailing = true;
  }

  function recovered(): void {
    if (isFailing) parts.log("info", "deliveries-go-on", {});
    isFailing = false;
  }

  const lineParts: LineParts = {
    ...parts,
    mayBegin: () => !isEnding && (parts.mayBegin?.() ?? true),
    async refresh() {
      readMark = undefined;
      await refreshed();
    },
    stopped({ id: webhookId }, { status }) {
      countStopped();
      parts.log("warn", "webhook-stopped", { webhookId, status });
    },
  };

  /** Takes in which webhooks there are. */
  async function refresh(): Promise<void> {
    const mark = source.mark(webhooksMark);
    if (mark === readMark && now() - readMs < refreshMs) return;
    resting ??= new Map((await store.all()).map((each) => [each.id, each]));
    const webhooks = await source.webhooks();
    for (const webhook of webhooks) {
      const line = lines.get(webhook.id);
      if (line === undefined) lines.set(webhook.id, await newLine(webhook, resting));
      else line.changeTo(webhook);
    }
    const ids = new Set(webhooks.map(({ id }) => id));
    for (const [id, line] of lines) {
      if (ids.has(id)) continue;
      line.end("its webhook is not there");
      lines.delete(id);
      resting.set(id, { spaceId: line.webhook.spaceId, id, progress: line.progress });
    }
    if (resting.size > 0)
      for (const webhook of await source.deleted([...resting.values()])) {
        await store.remove(webhook);
        resting.delete(webhook.id);
      }
    readMark = mark;
    readMs = now();
    countStopped();
  }

  async function newLine(webhook: Document, known: NonNullable<typeof resting>): Promise<Line> {
    const saved = known.get(webhook.id)?.progress;
    const { made, latest } = await source.seqs(webhook);
    const progress = saved ?? begin(made);
    if (saved === undefined) await store.save(webhook, progress);
    known.delete(webhook.id);
    return new Line(lineParts, webhook, cappedAtLatest(webhook, progress, latest));
  }

  /** Where the facts were restored from a backup, the cursor may be of facts that are no more. */
  function cappedAtLatest({ id }: Document, progress: Progress, latest: number): Progress {
    if (progress.cursor <= latest) return progress;
    parts.log("warn", "cursor-ahead", { webhookId: id, cursor: progress.cursor, latest });
    return { ...progress, cursor: latest };
  }

  function countStopped(): void {
    parts.countStopped([...lines.values()].filter(({ progress }) => progress.status !== "active").length);
  }

  function launch(id: string, line: Line): void {
    lines.delete(id);
    lines.set(id, line);
    room.left -= 1;
    line.underWay = line
      .deliver()
      .then(recovered, (failure) => {
        line.rest(cooldownMs);
        failed("deliver to webhooks", failure);
      })
      .finally(() => {
        room.left += 1;
        line.underWay = undefined;
      });
  }

  /** The webhook's line, also where it was made a moment ago. */
  async function lineOf(webhookId: string): Promise<Line | undefined> {
    await refreshed();
    // The one that was joined may have begun before it was made.
    if (!lines.has(webhookId)) await refreshed();
    return lines.get(webhookId);
  }

  /** What fails is told in the log, too: whoever asks learns no more than that it is to be tried again. */
  async function answered<T>(answer: () => Promise<T>): Promise<T> {
    try {
      return await answer();
    } catch (failure) {
      failed("answer about a webhook", failure);
      throw failure;
    }
  }

  /** One at a time. */
  function refreshed(): Promise<void> {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  return {
    async tick() {
      if (isEnding) return;
      try {
        await refreshed();
      } catch (failure) {
        failed("read the webhooks", failure);
      }
      for (const [id, line] of [...lines]) if (room.left > 0 && lineParts.mayBegin() && line.isDue()) launch(id, line);
    },
    async stop() {
      isEnding = true;
      // What is answered in a moment need not be sent again by who comes next.
      await settles(Promise.all([...lines.values()].map(({ underWay }) => underWay)), graceMs);
      for (const line of lines.values()) line.end("the courier ends");
      await Promise.all([refreshing?.catch(() => undefined), ...[...lines.values()].map(({ underWay }) => underWay)]);
      parts.countStopped(0);
    },
    deliveries: (webhookId) => answered(async () => (await (await lineOf(webhookId))?.log()) ?? null),
    request: (webhookId, request) =>
      answered(async () => {
        const outcome = (await (await lineOf(webhookId))?.request(request)) ?? null;
        countStopped();
        return outcome;
      }),
  };
}
