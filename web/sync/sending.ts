/** Sends what waits, one change after the other, each until there is a verdict. */
import { effect, signal } from "@preact/signals";
import { v7 as uuidv7 } from "uuid";
import type { Json } from "../../actors/resources/field.ts";
import { readOutbox } from "../store/database.ts";
import {
  add,
  type ChangeRequest,
  changesHere,
  type Entry,
  entries,
  isUnkept,
  type OperationRequest,
  remove,
  replace,
  waiting,
} from "../store/outbox.ts";
import { firstWaitMs, longestWaitMs } from "./again.ts";
import { isToSend, showPendingOf } from "./pending.ts";
import { call, getJson, isAway, isVerdict, type ProblemBody, Refusal, user } from "./session.ts";
import { catchUp, storeOf } from "./spaces.ts";
import { isLeader, tell } from "./tabs.ts";

/** What is shown of a change that was just made: a toast with a button that takes it back. */
export type Made = { readonly key: string; readonly message: string; readonly untilMs: number };
export const lastMade = signal<Made | undefined>(undefined);
/** The change that the server does not take for now, and why: those behind it wait. */
export const heldUp = signal<{ readonly key: string; readonly problem: ProblemBody } | undefined>(undefined);
/** Whether the last request found the server. */
export const isOnline = signal(navigator.onLine);

const toastMs = 6_000;
const pollMs = 500;
/** So many answers, or so long a wait that the server asks for, are told. */
const toldAfter = 3;
const longWaitMs = 10_000;
/** A change at which the server fails so often in a row, and for so long, goes out of the way of those behind it. */
const failuresMax = 5;
const failingMs = 5_000;

/** Keys of changes that can be taken back, the latest last. */
const undoable: { key: string; spaceId: string; operationId?: string }[] = [];
const undoableMax = 100;
let order = 0;
let wake: () => void = () => undefined;

/**
 * A server that is not yet as far as this `seq` has lost, by going on from an older backup, what it had answered from there on. What is still here of it is
 * sent once more, under its own key: where the server has it all the same, it only says so.
 */
export async function sendAgainFrom(spaceId: string, seq: number, except?: string): Promise<void> {
  const lost = entries.value.filter(
    (entry) =>
      entry.spaceId === spaceId &&
      entry.key !== except &&
      isToSend(entry) &&
      entry.state === "sent" &&
      (entry.seq ?? 0) >= seq,
  );
  for (const { operationId: _, seq: __, ...same } of lost) await replace({ ...same, state: "waiting" });
  if (lost.length === 0) return;
  tell({ kind: "outbox" });
  wake();
}

type Options = {
  readonly about: string;
  /** Shown in the toast; without it there is none. */
  readonly message?: string;
  readonly from?: Readonly<Record<string, Json>>;
};

/** Makes a change: it shows at once, and is sent as soon as there is a way. */
export function change(spaceId: string, changes: readonly ChangeRequest[], options: Options): void {
  const entry = enqueue(spaceId, { kind: "batch", changes }, options);
  undoable.push({ key: entry.key, spaceId });
  if (undoable.length > undoableMax) undoable.shift();
  if (options.message !== undefined)
    lastMade.value = { key: entry.key, message: options.message, untilMs: Date.now() + toastMs };
}

function enqueue(spaceId: string, request: OperationRequest, { about, from }: Options): Entry {
  const at = new Date().toISOString();
  order = Math.max(order + 1, Date.now() * 1_000);
  const entry: Entry = {
    key: uuidv7(),
    order,
    userId: user.peek()?.id ?? "",
    spaceId,
    at,
    about,
    request,
    state: "waiting",
    ...(from === undefined ? {} : { from }),
  };
  const kept = add(entry);
  showPendingOf(spaceId);
  // Kept first, then sent: a tab that dies in between loses nothing.
  void kept.then(() => {
    tell({ kind: "outbox" });
    wake();
  });
  return entry;
}

/** Takes back the change of this key, or the latest one. */
export async function undo(key?: string): Promise<boolean> {
  const place = key === undefined ? undoable.length - 1 : undoable.findIndex((each) => each.key === key);
  const [made] = place < 0 ? [] : undoable.splice(place, 1);
  if (made === undefined) return false;
  if (lastMade.value?.key === made.key) lastMade.value = undefined;
  const entry = entries.value.find((each) => each.key === made.key);
  if (entry !== undefined && entry.state !== "sent" && made.key !== underWay) {
    await remove(made.key);
    showPendingOf(made.spaceId);
    tell({ kind: "taken-back", key: made.key });
    tell({ kind: "outbox" });
    return true;
  }
  const operationId = made.operationId ?? entry?.operationId ?? (await verdictOf(made.key));
  if (operationId === undefined) return false;
  enqueue(made.spaceId, { kind: "undo", undoes: operationId }, { about: entry?.about ?? "" });
  return true;
}

/** Another tab took back a change that this one, which leads, sends at this moment or has sent. */
export function hearTakenBack(key: string): void {
  const entry = entries.value.find((each) => each.key === key);
  const sent = settled.get(key);
  if (key === underWay) takenBack.add(key);
  else if (sent !== undefined) enqueue(sent.spaceId, { kind: "undo", undoes: sent.operationId }, { about: sent.about });
  else if (entry !== undefined) {
    entries.value = entries.value.filter((each) => each !== entry);
    showPendingOf(entry.spaceId);
  }
}
const takenBack = new Set<string>();
/** What this tab sent last. */
const settled = new Map<string, { spaceId: string; operationId: string; about: string }>();

/** How a change ended that another tab sent. */
export function hearVerdict({ key, operationId }: { key: string; operationId?: string }): void {
  const made = undoable.find((each) => each.key === key);
  if (made !== undefined && operationId !== undefined) made.operationId = operationId;
  verdicts.get(key)?.(operationId);
  verdicts.delete(key);
}

function tellVerdict(key: string, operationId?: string): void {
  const verdict = { key, ...(operationId === undefined ? {} : { operationId }) };
  hearVerdict(verdict);
  tell({ kind: "verdict", ...verdict });
}

const verdicts = new Map<string, (operationId: string | undefined) => void>();
function verdictOf(key: string): Promise<string | undefined> {
  return new Promise((resolve) => verdicts.set(key, resolve));
}

/** Sends a refused one once more, as a change of its own and without the version it insisted on. */
export async function retry(entry: Entry): Promise<void> {
  if (entry.problem?.code === "internal") {
    // Nobody knows whether it has happened: under its own key it happens once.
    const { problem: _, ...same } = entry;
    await replace({ ...same, state: "waiting" });
    showPendingOf(entry.spaceId);
    tell({ kind: "outbox" });
    return wake();
  }
  await remove(entry.key);
  const { request } = entry;
  const again: OperationRequest =
    request.kind === "undo"
      ? request
      : { kind: "batch", changes: request.changes.map((each) => withoutVersion(each, entry)) };
  enqueue(entry.spaceId, again, { about: entry.about, ...(entry.from === undefined ? {} : { from: entry.from }) });
}

/** Columns always need the version that they were made from. */
function withoutVersion({ expected, ...change }: ChangeRequest, { spaceId }: Entry): ChangeRequest {
  const now = storeOf(spaceId).onServer(change.id)?.version;
  return change.body?.columns !== undefined && now !== undefined ? { ...change, expected: now } : change;
}

export async function discard(entry: Entry): Promise<void> {
  tellVerdict(entry.key);
  await remove(entry.key);
  if (heldUp.value?.key === entry.key) heldUp.value = undefined;
  wake();
  showPendingOf(entry.spaceId);
  tell({ kind: "outbox" });
}

/** What is in the browser's own store, at the start and when another tab has changed it. */
export async function readEntries(): Promise<void> {
  let read: Entry[] | undefined;
  let before: number;
  do {
    before = changesHere();
    read = await readOutbox();
  } while (before !== changesHere());
  if (read === undefined) return wake();
  const mine = read.filter(({ userId }) => userId === user.peek()?.id);
  const known = new Set(mine.map(({ key }) => key));
  const unwritten = entries.value.filter(({ key }) => !known.has(key) && isUnkept(key));
  entries.value = [...mine, ...unwritten].sort((a, b) => a.order - b.order);
  // A clock that has been set back since must not put later changes before earlier ones.
  order = Math.max(order, entries.value.at(-1)?.order ?? 0);
  for (const spaceId of new Set(entries.value.map((entry) => entry.spaceId))) showPendingOf(spaceId);
  wake();
}

let underWay: string | undefined;

/** Goes on for as long as the page is open. */
export async function sendAll(): Promise<never> {
  let tried = { key: "", times: 0, sinceMs: 0 };
  for (let waitMs = firstWaitMs; ; ) {
    const next = waiting.value.find((entry) => entry.userId === user.peek()?.id && isToSend(entry));
    if (next === undefined) {
      await woken();
      continue;
    }
    underWay = next.key;
    if (tried.key !== next.key) tried = { key: next.key, times: 0, sinceMs: performance.now() };
    tried.times += 1;
    try {
      await settle(next, await send(next));
      waitMs = firstWaitMs;
      setOnline(true);
    } catch (error) {
      if (isVerdict(error) || isFailing(error, tried)) await refuse(next, error);
      else {
        setOnline(!isAway(error));
        const asked = error instanceof Refusal ? error.retryAfterMs : 0;
        if (error instanceof Refusal && (tried.times >= toldAfter || asked >= longWaitMs))
          heldUp.value = { key: next.key, problem: error.problem };
        await woken(Math.max(asked, waitMs));
        waitMs = Math.min(waitMs * 2, longestWaitMs);
        underWay = undefined;
        continue;
      }
    }
    heldUp.value = undefined;
    underWay = undefined;
    tell({ kind: "outbox" });
  }
}

function isFailing(error: unknown, { times, sinceMs }: { times: number; sinceMs: number }): error is Refusal {
  const isOwnFailure = error instanceof Refusal && error.problem.code === "internal";
  return isOwnFailure && times >= failuresMax && performance.now() - sinceMs >= failingMs;
}

export function setOnline(is: boolean): void {
  if (isOnline.value === is) return;
  isOnline.value = is;
  if (isLeader.value) tell({ kind: "online", isOnline: is });
}

/** Until there may be something to do, or for this long. */
function woken(waitMs?: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = waitMs === undefined ? undefined : setTimeout(resolve, waitMs);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

export function sendNow(): void {
  wake();
}
addEventListener("online", sendNow);
effect(() => {
  if (user.value !== null) wake();
});

type Verdict = { readonly operationId: string; readonly seq?: number };

async function send({ spaceId, request, key }: Entry): Promise<Verdict> {
  const headers = { "idempotency-key": key };
  const path = `/v1/spaces/${spaceId}`;
  const answer =
    request.kind === "undo"
      ? await call("POST", `${path}/operations/${request.undoes}/undo`, { headers })
      : await call("POST", `${path}/batch`, { body: { changes: request.changes }, headers });
  if (answer.status !== 202) return (await answer.json()) as Verdict;
  return await laterVerdict(answer.headers.get("location") ?? "");
}

/** The log has taken it, and the writer has not got to it yet. */
async function laterVerdict(location: string): Promise<Verdict> {
  const id = location.slice(location.lastIndexOf("/v1/"));
  for (;;) {
    await woken(pollMs);
    const told = await getJson<{ id: string; status: string; seq?: number; problem?: ProblemBody }>(id).catch(
      (error: unknown) => {
        // It may have been lost, with a server that is back from an older backup: then it is sent once more, and happens once all the same.
        if (error instanceof Refusal) throw new Error("Cannot learn the verdict", { cause: error });
        throw error;
      },
    );
    if (told.status === "rejected" && told.problem !== undefined) throw new Refusal(told.problem, 0);
    if (told.status === "applied")
      return { operationId: told.id, ...(told.seq === undefined ? {} : { seq: told.seq }) };
  }
}

async function settle(entry: Entry, { operationId, seq }: Verdict): Promise<void> {
  settled.set(entry.key, { spaceId: entry.spaceId, operationId, about: entry.about });
  if (settled.size > undoableMax) settled.delete(settled.keys().next().value ?? "");
  tellVerdict(entry.key, operationId);
  if (takenBack.delete(entry.key))
    enqueue(entry.spaceId, { kind: "undo", undoes: operationId }, { about: entry.about });
  if (seq === undefined) await remove(entry.key);
  else {
    await replace({ ...entry, state: "sent", operationId, seq });
    // Two changes of a space never have one number.
    await sendAgainFrom(entry.spaceId, seq, entry.key);
  }
  showPendingOf(entry.spaceId);
  // The stream tells it, as a rule sooner than this.
  if (seq !== undefined) setTimeout(() => void catchUp(entry.spaceId, { seq }).catch(() => undefined), pollMs);
}

async function refuse(entry: Entry, { problem }: Refusal): Promise<void> {
  tellVerdict(entry.key);
  if (takenBack.delete(entry.key)) await remove(entry.key);
  else await replace({ ...entry, state: "refused", problem });
  showPendingOf(entry.spaceId);
  if (lastMade.value?.key === entry.key) lastMade.value = undefined;
}
