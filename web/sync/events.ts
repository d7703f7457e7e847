/** The stream of what happens in all spaces of the user, for as long as the page is open. */
import { effect } from "@preact/signals";
import type { FeedFact } from "../../actors/resources/fact.ts";
import { isKeeping } from "../store/database.ts";
import { spaceId } from "../store/route.ts";
import { firstWaitMs, longestWaitMs, pause, surely } from "./again.ts";
import { compare, serversScript } from "./new-page.ts";
import { sendNow, setOnline } from "./sending.ts";
import { call, isAway, Offline } from "./session.ts";
import { catchUp, forget, listSpaces, takeFact } from "./spaces.ts";
import { tell } from "./tabs.ts";

/** The server sends a comment every 15 s. */
const silenceMs = 40_000;
/** As many spaces as one stream follows. */
const followedMax = 50;
/** How long to wait until the first stream has said which they are. */
const helloLookMs = 100;
const helloLooksMax = 50;

type Told = { readonly spaceId: string; readonly seq: number; readonly epoch: string };

/** Until it is aborted, as it must be when who is signed in changes: the stream is that user's. */
export async function follow(signal: AbortSignal): Promise<void> {
  for (let waitMs = firstWaitMs; !signal.aborted; ) {
    const begunMs = Date.now();
    try {
      await once("/v1/events", signal, begun);
      setOnline(true);
    } catch (error) {
      if (signal.aborted) return;
      if (isAway(error) || !navigator.onLine) setOnline(false);
    }
    waitMs = Date.now() - begunMs > longestWaitMs ? firstWaitMs : Math.min(waitMs * 2, longestWaitMs);
    await pause(waitMs, signal);
  }
}

/** An open stream: until when, and the spaces that it has said it follows. */
type Open = { readonly signal: AbortSignal; readonly followed: Set<string> };

/** One stream to its end. `whenOpen` is done before anything is read from it. */
async function once(path: string, signal: AbortSignal, whenOpen: (open: Open) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const cut = () => abort.abort();
  let watch = setTimeout(cut, silenceMs);
  const heard = () => {
    clearTimeout(watch);
    watch = setTimeout(cut, silenceMs);
  };
  addEventListener("offline", cut);
  signal.addEventListener("abort", cut);
  try {
    const answer = await call("GET", path, { signal: abort.signal });
    if (signal.aborted) return;
    const open = { signal: abort.signal, followed: new Set<string>() };
    await whenOpen(open);
    await read(answer, heard, open);
  } finally {
    clearTimeout(watch);
    removeEventListener("offline", cut);
    signal.removeEventListener("abort", cut);
    abort.abort();
  }
}

/** The stream of the spaces that changed last, which is all of them but for somebody who has very many. */
async function begun({ signal, followed }: Open): Promise<void> {
  setOnline(true);
  sendNow();
  // A server that has been replaced has cut the stream before.
  void lookForNewPage();
  // What changed before the stream began is told by each space's `hello`, but for spaces beyond those that one stream follows.
  const listed = await listSpaces();
  if (listed.length <= followedMax) return;
  for (const { id, seq } of listed) void surely(() => catchUp(id, { seq }), signal);
  // Without locks each tab hears for itself: two streams of each are more than a browser opens to one host.
  if (navigator.locks !== undefined && isKeeping.peek()) void followOthers(listed, { signal, followed });
}

/** A second stream for spaces that the first one leaves out: the one that is shown, and as many others as it takes. */
async function followOthers(listed: readonly { readonly id: string }[], { signal, followed }: Open): Promise<void> {
  for (let looks = 0; followed.size < followedMax && looks < helloLooksMax; looks++) await pause(helloLookMs, signal);
  const others = listed.map(({ id }) => id).filter((id) => !followed.has(id));
  for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    const isShown = (id: string) => id === spaceId.peek();
    const wanted = [...others.filter(isShown), ...others.filter((id) => !isShown(id))].slice(0, followedMax);
    const changed = new AbortController();
    const dispose = effect(() => {
      const shown = spaceId.value;
      if (shown !== undefined && others.includes(shown) && !wanted.includes(shown)) changed.abort();
    });
    const path = `/v1/events?${wanted.map((id) => `space=${id}`).join("&")}`;
    const isOpen = async () => {
      waitMs = firstWaitMs;
    };
    await once(path, AbortSignal.any([signal, changed.signal]), isOpen).catch(() => undefined);
    dispose();
    if (!changed.signal.aborted) await pause(waitMs, signal);
  }
}

async function lookForNewPage(): Promise<void> {
  const script = await serversScript();
  if (script === undefined) return;
  compare(script);
  tell({ kind: "page", script });
}

async function read(answer: Response, heard: () => void, open: Open): Promise<void> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    let next: ReadableStreamReadResult<string> | undefined;
    try {
      next = await reader?.read();
    } catch (error) {
      throw new Offline("the stream was cut", { cause: error });
    }
    if (next === undefined || next.done) return;
    heard();
    const parts = (text + next.value).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) if (open.signal.aborted || !(await take(part, open))) return;
  }
}

/** False where the stream is over. */
async function take(part: string, { signal, followed }: Open): Promise<boolean> {
  const lines = new Map(
    part.split("\n").flatMap((line): [string, string][] => {
      const colon = line.indexOf(":");
      return colon <= 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trimStart()]];
    }),
  );
  const event = lines.get("event");
  if (event === "bye") return false;
  const data = lines.get("data");
  if (event === undefined || data === undefined) return true;
  const told = JSON.parse(data) as Told & FeedFact;
  // Spaces do not wait for each other; within one, things are taken in turn.
  if (event === "hello") followed.add(told.spaceId);
  if (event === "fact") void surely(() => takeFact(told), signal);
  else if (event === "hello") void surely(() => catchUp(told.spaceId, told), signal);
  else if (event === "resync") void surely(() => catchUp(told.spaceId, { seq: 0, epoch: "" }), signal);
  else if (event === "left") await forget(told.spaceId);
  else if (event === "joined") await listSpaces();
  return true;
}
