/** The deliveries of one webhook: in order, one at a time. */
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { attempts, durations } from "./counts.ts";
import { factMessage, faultOf, isWanted, type Message, outcomeOf, testMessage } from "./delivery.ts";
import {
  type Answered,
  type Attempt,
  type Deliveries,
  type DeliveryLog,
  type Move,
  type Progress,
  repeated,
  shown,
  type WebhookOutcome,
  type WebhookRequest,
} from "./messages.ts";
import type { DeliveryStore, FactSource, Written } from "./ports.ts";
import { afterAttempt, isWaiting, replayed, resumed, skipped } from "./schedule.ts";
import type { Send, Sent } from "./send.ts";

export type LineParts = {
  readonly source: FactSource;
  readonly store: DeliveryStore;
  readonly send: Send;
  readonly key: string;
  readonly siteUrl: string;
  readonly now: () => number;
  readonly random: () => number;
  /** Whether it may begin an attempt: it may not where another courier could have taken over. */
  readonly mayBegin: () => boolean;
  /** Reads the webhooks again; the line has the newest then, or is ended. */
  readonly refresh: () => Promise<void>;
  /** It delivers nothing more before somebody resumes it. */
  readonly stopped: (webhook: Document, progress: Progress) => void;
};

const factsAtOnce = 50;
/** The document comes behind the fact that changed it. */
const aheadRestMs = 200;

export class Line {
  progress: Progress;
  /** The attempts under way. */
  underWay: Promise<void> | undefined;
  readonly #parts: LineParts;
  readonly #ending = new AbortController();
  #webhook: Document;
  /** Counted on by a person who moves the cursor by hand: what is under way then counts for nothing. */
  #turn = 0;
  /** Of its space when all its facts were delivered. */
  #doneMark: number | undefined;
  /** No sooner after a failure of ours, by the time of this thread: that passes whatever the clock does. */
  #restsUntilMs = Number.NEGATIVE_INFINITY;
  /** One write after the other, each made of what the one before has left. */
  #writing: Promise<unknown> = Promise.resolve();
  /** Requests under way, by their id. */
  readonly #asked = new Map<string, { readonly fingerprint: string; readonly outcome: Promise<WebhookOutcome> }>();

  constructor(parts: LineParts, webhook: Document, progress: Progress) {
    this.#parts = parts;
    this.#webhook = webhook;
    this.progress = progress;
  }

  get webhook(): Document {
    return this.#webhook;
  }

  /** Switched on again, or asking for other types: what was passed over stays so. */
  changeTo(webhook: Document): void {
    if (this.#webhook.version !== webhook.version) this.#doneMark = undefined;
    this.#webhook = webhook;
  }

  isDue(): boolean {
    const { now, source } = this.#parts;
    if (this.underWay !== undefined || !this.#isOn() || this.progress.status !== "active") return false;
    if (isWaiting(this.progress, now()) || performance.now() < this.#restsUntilMs) return false;
    return this.#doneMark === undefined || this.#doneMark !== source.mark(this.#webhook.spaceId);
  }

  rest(ms: number): void {
    this.#restsUntilMs = performance.now() + ms;
  }

  /** Ends what is under way, and all that is to come. */
  end(why: string): void {
    this.#ending.abort(new Error(why));
  }

  /** Until all is delivered, an attempt fails, or somebody has moved the cursor. */
  async deliver(): Promise<void> {
    const { source } = this.#parts;
    while (this.#isOn() && this.progress.status === "active") {
      const { spaceId } = this.#webhook;
      const turn = this.#turn;
      const mark = source.mark(spaceId);
      const facts = await source.facts(spaceId, this.progress.cursor, factsAtOnce);
      if (this.#turn !== turn) return;
      if (facts.length === 0) {
        this.#doneMark = mark;
        return;
      }
      if (!(await this.#deliverSome(facts, turn))) return;
    }
  }

  /** Whether all of them are behind the cursor. */
  async #deliverSome(facts: readonly Fact[], turn: number): Promise<boolean> {
    for (const fact of facts) {
      // What comes from a change of the webhook itself on is chosen and signed as it says.
      if (isAheadOf(this.#webhook, fact)) await this.#parts.refresh();
      if (isAheadOf(this.#webhook, fact)) {
        this.rest(aheadRestMs);
        return false;
      }
      if (!this.#isOn() || this.#turn !== turn) return false;
      if (!isWanted(this.#webhook, fact)) continue;
      if (!this.#parts.mayBegin() || !(await this.#attempt(fact, turn))) return false;
    }
    const last = facts.at(-1)?.seq as number;
    if (last > this.progress.cursor) await this.#write(turn, (before) => ({ ...before, cursor: last }));
    return this.#turn === turn;
  }

  /** Whether the fact is behind the cursor now. */
  async #attempt(fact: Fact, turn: number): Promise<boolean> {
    const { now, random, stopped } = this.#parts;
    const webhook = this.#webhook;
    const seq = fact.seq as number;
    const { sent, attempt } = await this.#send(seq, (nowMs) => factMessage(webhook, fact, { ...this.#parts, nowMs }));
    if (this.#ending.signal.aborted) return false;
    const outcome = outcomeOf(sent, now());
    attempts.of(outcome.kind).add();
    // The cursor moves after the answer, durably: who ends in between delivers once more, under the same id.
    await this.#write(
      turn,
      (before) =>
        afterAttempt({ ...before, cursor: Math.max(before.cursor, seq - 1) }, seq, outcome, {
          nowMs: now(),
          random: random(),
        }),
      { attempt },
    );
    if (this.#turn !== turn) return false;
    if (this.progress.status !== "active") stopped(webhook, this.progress);
    return outcome.kind === "delivered";
  }

  async #send(
    seq: number | null,
    message: (nowMs: number) => Message,
  ): Promise<{ readonly sent: Sent; readonly attempt: Attempt }> {
    const nowMs = this.#parts.now();
    const startMs = performance.now();
    const sent = await this.#parts.send({ ...message(nowMs), signal: this.#ending.signal });
    const durationMs = Math.round(performance.now() - startMs);
    durations.observe(durationMs / 1_000);
    const at = new Date(nowMs).toISOString();
    return { sent, attempt: { seq, at, status: sent.status ?? null, durationMs, error: faultOf(sent) } };
  }

  /** Of an attempt that somebody has overtaken by moving the cursor, only what came of it is written. */
  #write(turn: number, after: (before: Progress) => Progress, written?: Written): Promise<void> {
    return this.#inTurn(async () => {
      const isOvertaken = this.#turn !== turn;
      if (isOvertaken && written === undefined) return;
      const progress = isOvertaken ? this.progress : after(this.progress);
      await this.#parts.store.save(this.#webhook, progress, written);
      this.progress = progress;
    });
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(step);
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async log(): Promise<DeliveryLog> {
    const items = await this.#parts.store.attempts(this.#webhook);
    return { ...shown(this.progress), items };
  }

  /** Repeats of a request have its first answer. */
  async request(asked: WebhookRequest): Promise<WebhookOutcome> {
    const { id, fingerprint } = asked;
    const underWay = this.#asked.get(id);
    if (underWay !== undefined) {
      if (underWay.fingerprint !== fingerprint) return { kind: "mismatch" };
      return repeated(await underWay.outcome);
    }
    const outcome = this.#answered(asked).finally(() => this.#asked.delete(id));
    this.#asked.set(id, { fingerprint, outcome });
    return outcome;
  }

  async #answered({ id, fingerprint, action }: WebhookRequest): Promise<WebhookOutcome> {
    const first = await this.#parts.store.answered(this.#webhook, id);
    if (first !== undefined)
      return first.fingerprint === fingerprint
        ? { kind: "done", answer: first.answer, isReplayed: true }
        : { kind: "mismatch" };
    const answered = (answer: Deliveries | Attempt): Answered => ({ id, fingerprint, answer });
    const answer = action.kind === "test" ? await this.#test(answered) : await this.#move(action, answered);
    return { kind: "done", answer, isReplayed: false };
  }

  #move(how: Move, answered: (answer: Deliveries) => Answered): Promise<Deliveries> {
    return this.#inTurn(async () => {
      const progress = await this.#movedBy(how);
      // What moves nothing leaves what is under way as it is.
      const isMoved = progress !== this.progress;
      if (isMoved) this.#turn += 1;
      const answer = shown(progress);
      await this.#parts.store.save(this.#webhook, progress, { answered: answered(answer) });
      this.progress = progress;
      this.#doneMark = undefined;
      this.#restsUntilMs = Number.NEGATIVE_INFINITY;
      // Who has begun in between has begun where it was before.
      if (isMoved) this.#turn += 1;
      return answer;
    });
  }

  async #movedBy(how: Move): Promise<Progress> {
    const { source } = this.#parts;
    const { progress } = this;
    if (how.kind === "resume") return progress.failures === 0 ? progress : resumed(progress);
    // Facts that are to come are not passed over.
    if (how.kind === "replay") return replayed(Math.min(how.from, (await source.seqs(this.#webhook)).latest + 1));
    const facts = await source.facts(this.#webhook.spaceId, progress.cursor, factsAtOnce);
    const next = facts.find((fact) => isWanted(this.#webhook, fact))?.seq ?? facts.at(-1)?.seq;
    return next === undefined || (how.seq !== null && how.seq !== next) ? progress : skipped(progress, next);
  }

  async #test(answered: (answer: Attempt) => Answered): Promise<Attempt> {
    const id = crypto.randomUUID();
    const webhook = this.#webhook;
    const { attempt } = await this.#send(null, (nowMs) => testMessage(webhook, id, { ...this.#parts, nowMs }));
    await this.#inTurn(async () => {
      await this.#parts.store.save(webhook, this.progress, { attempt, answered: answered(attempt) });
    });
    return attempt;
  }

  #isOn(): boolean {
    return !this.#ending.signal.aborted && this.#webhook.fields.active === true;
  }
}

/** Whether the fact made a newer version of the webhook than this one. */
function isAheadOf({ id, version }: Document, { changes }: Fact): boolean {
  return changes.some((change) => change.id === id && change.version > version);
}
