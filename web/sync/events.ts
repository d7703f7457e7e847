/** The stream of what happens in all spaces of the user, for as long as the page is open. */
import type { FeedFact } from "../../actors/resources/fact.ts";
import { sendNow, setOnline } from "./sending.ts";
import { accessToken, Offline, refusalOf, request, user } from "./session.ts";
import { catchUp, forget, listSpaces, takeFact } from "./spaces.ts";

/** The server sends a comment every 15 s. */
const silenceMs = 40_000;
const firstWaitMs = 500;
const longestWaitMs = 15_000;

type Told = { readonly spaceId: string; readonly seq: number; readonly epoch: string };

/** Until nobody is signed in any more. */
export async function follow(): Promise<void> {
  for (let waitMs = firstWaitMs; user.value != null; ) {
    const begunMs = Date.now();
    try {
      await once();
      setOnline(true);
    } catch (error) {
      if (error instanceof Offline || !navigator.onLine) setOnline(false);
    }
    waitMs = Date.now() - begunMs > longestWaitMs ? firstWaitMs : Math.min(waitMs * 2, longestWaitMs);
    await pause(waitMs);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    addEventListener("online", done);
  });
}

/** One stream to its end. */
async function once(): Promise<void> {
  const abort = new AbortController();
  let watch = setTimeout(() => abort.abort(), silenceMs);
  const heard = () => {
    clearTimeout(watch);
    watch = setTimeout(() => abort.abort(), silenceMs);
  };
  const cut = () => abort.abort();
  addEventListener("offline", cut);
  try {
    const answer = await request("GET", "/v1/events", { token: await accessToken(), signal: abort.signal });
    if (!answer.ok) throw await refusalOf(answer);
    setOnline(true);
    sendNow();
    // What changed before the stream began is told by each space's `hello`.
    await listSpaces();
    await read(answer, heard);
  } finally {
    clearTimeout(watch);
    removeEventListener("offline", cut);
    abort.abort();
  }
}

async function read(answer: Response, heard: () => void): Promise<void> {
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
    for (const part of parts) if (!(await take(part))) return;
  }
}

/** False where the stream is over. */
async function take(part: string): Promise<boolean> {
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
  if (event === "fact") void takeFact(told).catch(() => undefined);
  else if (event === "hello") void catchUp(told.spaceId, told).catch(() => undefined);
  else if (event === "resync") void catchUp(told.spaceId, { seq: 0, epoch: "" }).catch(() => undefined);
  else if (event === "left") await forget(told.spaceId);
  else if (event === "joined") await listSpaces();
  return true;
}
