/** The stream of what happens in all spaces of the user, for as long as the page is open. */
import type { FeedFact } from "../../actors/resources/fact.ts";
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

type Told = { readonly spaceId: string; readonly seq: number; readonly epoch: string };

/** Until it is aborted, as it must be when who is signed in changes: the stream is that user's. */
export async function follow(signal: AbortSignal): Promise<void> {
  for (let waitMs = firstWaitMs; !signal.aborted; ) {
    const begunMs = Date.now();
    try {
      await once(signal);
      setOnline(true);
    } catch (error) {
      if (signal.aborted) return;
      if (isAway(error) || !navigator.onLine) setOnline(false);
    }
    waitMs = Date.now() - begunMs > longestWaitMs ? firstWaitMs : Math.min(waitMs * 2, longestWaitMs);
    await pause(waitMs, signal);
  }
}

/** One stream to its end. */
async function once(signal: AbortSignal): Promise<void> {
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
    const answer = await call("GET", "/v1/events", { signal: abort.signal });
    if (signal.aborted) return;
    setOnline(true);
    sendNow();
    // A server that has been replaced has cut the stream before.
    void lookForNewPage();
    // What changed before the stream began is told by each space's `hello`, but for spaces beyond those that one stream follows.
    const listed = await listSpaces();
    if (listed.length > followedMax)
      for (const { id, seq } of listed) void surely(() => catchUp(id, { seq }), abort.signal);
    await read(answer, heard, abort.signal);
  } finally {
    clearTimeout(watch);
    removeEventListener("offline", cut);
    signal.removeEventListener("abort", cut);
    abort.abort();
  }
}

async function lookForNewPage(): Promise<void> {
  const script = await serversScript();
  if (script === undefined) return;
  compare(script);
  tell({ kind: "page", script });
}

/** `signal`: of the end of this stream. */
async function read(answer: Response, heard: () => void, signal: AbortSignal): Promise<void> {
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
    for (const part of parts) if (signal.aborted || !(await take(part, signal))) return;
  }
}

/** False where the stream is over. */
async function take(part: string, signal: AbortSignal): Promise<boolean> {
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
  if (event === "fact") void surely(() => takeFact(told), signal);
  else if (event === "hello") void surely(() => catchUp(told.spaceId, told), signal);
  else if (event === "resync") void surely(() => catchUp(told.spaceId, { seq: 0, epoch: "" }), signal);
  else if (event === "left") await forget(told.spaceId);
  else if (event === "joined") await listSpaces();
  return true;
}
