/** Puts the parts together: what happens when somebody is signed in, and when no longer. */
import { effect } from "@preact/signals";
import { readText, writeText } from "../kept-texts.ts";
import { clearAll, isKeeping } from "../store/database.ts";
import { entries, isOwnAlone, leftBehind, waiting } from "../store/outbox.ts";
import { surely } from "./again.ts";
import { follow } from "./events.ts";
import { oneTabAtATime } from "./locks.ts";
import { compare, registerWorker } from "./new-page.ts";
import { hearTakenBack, hearVerdict, isOnline, readEntries, sendAll, sendNow, setOnline } from "./sending.ts";
import { endHere, farewell, finishSignOut, resume, shareTokens, takeAccess, user } from "./session.ts";
import { forgetAll, openSpaces, reopen, rereadSpaces, takeToldFact } from "./spaces.ts";
import { hear, isLeader, lead, tell } from "./tabs.ts";

const lastUserKey = "last-user";
let following: AbortController | undefined;
/** Somebody has left, and nobody has come. */
let away: AbortController | undefined;

export async function begin(): Promise<void> {
  shareTokens((access) => tell({ kind: "token", access }));
  hear((what) => {
    if (what.kind === "token") takeAccess(what.access);
    else if (what.kind === "signed-out") endHere(what.isEnded ? "ended" : undefined);
    else if (what.kind === "outbox") void readEntries();
    else if (what.kind === "taken-back") hearTakenBack(what.key);
    else if (what.kind === "verdict") hearVerdict(what);
    else if (what.kind === "page") compare(what.script);
    else if (isLeader.value) return;
    else if (what.kind === "fact") void takeToldFact(what.fact);
    else if (what.kind === "space") void reopen(what.spaceId);
    else if (what.kind === "spaces") void rereadSpaces();
    else if (what.kind === "online") isOnline.value = what.isOnline;
  });
  addEventListener("offline", () => setOnline(false));
  let before: string | null | undefined;
  effect(() => {
    const now = user.value === undefined ? undefined : (user.value?.id ?? null);
    if (now === before) return;
    const was = before;
    before = now;
    // Another tab may have let somebody else in: the token that is renewed here is theirs then.
    if (typeof was === "string") left();
    away?.abort();
    if (typeof now === "string") void signedIn(now);
    else if (typeof was === "string") tell({ kind: "signed-out", isEnded: farewell.peek()?.kind === "ended" });
    if (now === null) {
      away = new AbortController();
      void surely(finishSignOut, away.signal);
    }
  });
  // Before it has been kept or sent, a change would be lost with the page.
  addEventListener("beforeunload", (event) => {
    if (waiting.value.some(({ key }) => isOwnAlone(key))) event.preventDefault();
  });
  void sendAll();
  const ledHere = () => {
    sendNow();
    goOn();
  };
  effect(() => {
    // Where nothing is kept, no tab can read what another one has heard: each leads itself, as without locks.
    if (isKeeping.value) return;
    isLeader.value = true;
    queueMicrotask(ledHere);
  });
  void lead().then(ledHere);
  await resume();
  void registerWorker();
}

async function signedIn(userId: string): Promise<void> {
  // The tab in which somebody signs in and those that are told of it: a second one would clear what the first has kept since.
  await oneTabAtATime("clear", async () => {
    if (readText(lastUserKey) !== userId && (await clearAll())) writeText(lastUserKey, userId);
  });
  await readEntries();
  if (user.peek()?.id !== userId) return;
  await openSpaces();
  goOn();
}

/** Only the tab that leads hears the stream. */
function goOn(): void {
  if (!isLeader.value || user.value == null || following !== undefined) return;
  following = new AbortController();
  void follow(following.signal);
}

/** Nothing of who was here stays in memory, or comes later. */
function left(): void {
  following?.abort();
  following = undefined;
  forgetAll();
  leftBehind.value = waiting.value.length;
  entries.value = [];
}
