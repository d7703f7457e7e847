/** Who is signed in. The refresh token is a cookie that no script sees; the access token is in memory only. */
import { signal } from "@preact/signals";
import { base } from "../base.ts";
import { readText, writeText } from "../kept-texts.ts";
import { oneTabAtATime } from "./locks.ts";

export type User = { readonly id: string; readonly email: string; readonly name: string | null };
type Tokens = { readonly accessToken: string; readonly expiresIn: number; readonly user: User };
export type ProblemBody = {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
};

/** What the server refused. */
export class Refusal extends Error {
  readonly problem: ProblemBody;
  readonly retryAfterMs: number;
  constructor(problem: ProblemBody, retryAfterMs: number) {
    super(problem.detail);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}
/** That there is no new token says nothing of what it was wanted for. */
class NotRenewed extends Refusal {}
/** Whether asking again cannot help. */
export function isVerdict(error: unknown): error is Refusal {
  if (!(error instanceof Refusal) || error instanceof NotRenewed) return false;
  const { status, code } = error.problem;
  return code !== "unknown" && status >= 400 && status < 500 && status !== 429 && status !== 401;
}
/** There was no answer: the network or the server is away. */
export class Offline extends Error {}
/** No answer, or one of somebody in between: a proxy whose server is away, a network that wants a sign-in first. */
export function isAway(error: unknown): boolean {
  const isOfOthers = error instanceof Refusal && error.problem.code === "unknown";
  return error instanceof Offline || error instanceof SyntaxError || isOfOthers;
}

/** null: signed out; undefined: not known yet. */
export const user = signal<User | null | undefined>(undefined);
/** What who was here must know: their session was ended by somebody else, or the server has not heard yet that they left. */
export type Farewell = { readonly kind: "ended" | "unheard"; readonly email: string };
export const farewell = signal<Farewell | undefined>(undefined);

const answerTimeoutMs = 20_000;
/** Who wants to go does not wait longer for a server that does not answer. */
const signOutTimeoutMs = 5_000;
const retryAfterMsMax = 60_000;
/** A token is renewed so long before it ends. */
const renewBeforeMs = 60_000;
const userKey = "user";
/** There while the server has not heard of a sign-out. */
const unheardKey = "unheard-sign-out";

let access: Access | undefined;
let renewing: Promise<string> | undefined;
/** Counts who enters and who leaves: what was asked before that is not answered for whoever is here now. */
let turns = 0;
/** Whose token it is, until when. */
export type Access = { readonly token: string; readonly untilMs: number; readonly user: User };
/** Tells the other tabs of a new token: they need not ask for one, and who signs in here is signed in there. */
let share: (access: Access) => void = () => undefined;

export function shareTokens(by: typeof share): void {
  share = by;
}

export function takeAccess(given: Access): void {
  const { user: who } = given;
  const known = user.peek();
  if (known?.id !== who.id) turns++;
  access = given;
  if (known?.id !== who.id || known.name !== who.name || known.email !== who.email) user.value = who;
}

export async function request(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal; token?: string } = {},
): Promise<Response> {
  const { body, token } = options;
  try {
    return await fetch(new URL(path.replace(/^\//, ""), base), {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: options.signal ?? AbortSignal.timeout(answerTimeoutMs),
      credentials: "same-origin",
    });
  } catch (error) {
    throw new Offline("no answer", { cause: error });
  }
}

export async function refusalOf(answer: Response): Promise<Refusal> {
  const text = await answer.text().catch(() => "");
  return new Refusal(
    problemIn(text) ?? {
      // A proxy in front of the server.
      code: "unknown",
      status: answer.status,
      title: `${answer.status}`,
      detail: `${answer.status}`,
    },
    retryAfterMsOf(answer),
  );
}

/** Proxies answer in JSON of their own as well. */
function problemIn(text: string): ProblemBody | undefined {
  try {
    const told = JSON.parse(text) as Partial<ProblemBody> | null;
    const isProblem =
      typeof told?.code === "string" && typeof told.status === "number" && typeof told.detail === "string";
    return isProblem ? (told as ProblemBody) : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds or a date (RFC 9110, section 10.2.3). A proxy's idea of it keeps nobody waiting for hours. */
function retryAfterMsOf(answer: Response): number {
  const asked = answer.headers.get("retry-after") ?? "1";
  const ms = /^\d+$/.test(asked) ? Number(asked) * 1_000 : Date.parse(asked) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMsMax) : 1_000;
}

/** As the signed-in user. Rejects with `Refusal` for every answer but 2xx and with `Offline` for none. */
export async function call(
  method: string,
  path: string,
  options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const asked = turns;
  for (let tries = 0; ; tries++) {
    const token = await accessToken();
    stillAsked(asked);
    const answer = await request(method, path, { ...options, token });
    stillAsked(asked);
    if (answer.ok) return answer;
    const refusal = await refusalOf(answer);
    stillAsked(asked);
    if (refusal.problem.code !== "unauthenticated" || tries > 0) throw refusal;
    if (access?.token === token) access = undefined;
  }
}

export async function getJson<Body>(path: string, signal?: AbortSignal): Promise<Body> {
  const asked = turns;
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  const answer = await call("GET", path, {
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  const body = (await answer.json()) as Body;
  stillAsked(asked);
  return body;
}

/** What was asked for by one is not given to the next. */
function stillAsked(turn: number): void {
  if (turn !== turns) throw new Offline("somebody signed in or out meanwhile");
}

async function accessToken(): Promise<string> {
  if (access !== undefined && access.untilMs - renewBeforeMs > Date.now()) return access.token;
  renewing ??= oneTabAtATime("renew", renew).finally(() => {
    renewing = undefined;
  });
  return renewing;
}

/** Another tab may have renewed it while this one waited. */
async function renew(): Promise<string> {
  if (access !== undefined && access.untilMs - renewBeforeMs > Date.now()) return access.token;
  const asked = turns;
  const answer = await request("POST", "/v1/auth/refresh", { headers: { "x-token-delivery": "cookie" } });
  const told = answer.ok ? ((await answer.json()) as Tokens) : await refusalOf(answer);
  stillAsked(asked);
  if (!(told instanceof Refusal)) return take(told);
  // Not where a proxy wants to know who asks.
  if (answer.status === 401 && told.problem.code !== "unknown") endHere("ended");
  throw new NotRenewed(told.problem, told.retryAfterMs);
}

function take({ accessToken: token, expiresIn, user: who }: Tokens): string {
  // The server's clock says when it ends, this one's how long that is from now.
  const given = { token, untilMs: Date.now() + expiresIn * 1_000, user: who };
  takeAccess(given);
  writeText(userKey, JSON.stringify(who));
  share(given);
  return token;
}

/** At the page's start: who was signed in here is so again, without a network too. */
export async function resume(): Promise<void> {
  const known = knownUser();
  if (known === undefined) {
    user.value = null;
    return;
  }
  user.value = known;
  try {
    await accessToken();
  } catch {
    // Offline, or signed out by now: `renew` has said so.
  }
}

function knownUser(): User | undefined {
  try {
    return (JSON.parse(readText(userKey) ?? "null") as User | null) ?? undefined;
  } catch {
    return undefined;
  }
}

export async function enter(path: "login" | "register", body: Record<string, string>): Promise<void> {
  const tokens = await oneTabAtATime("sign-out", async () => {
    await tellOfSignOut().catch(() => undefined);
    const answer = await request("POST", `/v1/auth/${path}`, { body, headers: { "x-token-delivery": "cookie" } });
    if (!answer.ok) throw await refusalOf(answer);
    // The cookie of the session before has gone.
    writeText(unheardKey, null);
    return (await answer.json()) as Tokens;
  });
  turns++;
  farewell.value = undefined;
  take(tokens);
}

export function rename(who: User): void {
  user.value = who;
  writeText(userKey, JSON.stringify(who));
}

/** One's own session ends here in any case, and the server is told later where it does not answer. Of all sessions that is no end: it rejects. */
export async function signOut(path: "logout" | "logout-all"): Promise<void> {
  const asked = turns;
  const signal = AbortSignal.timeout(signOutTimeoutMs);
  let isHeard = true;
  try {
    await call("POST", `/v1/auth/${path}`, { headers: { "x-token-delivery": "cookie" }, signal });
  } catch (error) {
    if (path === "logout-all" && asked === turns) throw error;
    isHeard = false;
  }
  // In another tab somebody may have signed out sooner, and the next one in.
  if (asked !== turns) return;
  if (!isHeard) writeText(unheardKey, "yes");
  endHere(isHeard ? undefined : "unheard");
}

/** Until the server has heard of a sign-out, the cookie that no script can remove would let somebody in again. Rejects while it has not. */
export async function finishSignOut(): Promise<void> {
  await oneTabAtATime("sign-out", tellOfSignOut);
}

async function tellOfSignOut(): Promise<void> {
  if (readText(unheardKey) === null) return;
  const headers = { "x-token-delivery": "cookie" };
  const signal = AbortSignal.timeout(signOutTimeoutMs);
  const renewed = await request("POST", "/v1/auth/refresh", { headers, signal });
  if (renewed.ok) {
    const { accessToken: token } = (await renewed.json()) as Tokens;
    const ended = await request("POST", "/v1/auth/logout", { headers, token, signal });
    if (!ended.ok) throw await refusalOf(ended);
  } else {
    const refusal = await refusalOf(renewed);
    const isOver = refusal.problem.status === 401 && refusal.problem.code !== "unknown";
    if (!isOver) throw refusal;
  }
  writeText(unheardKey, null);
  if (farewell.peek()?.kind === "unheard") farewell.value = undefined;
}

export function endHere(why?: Farewell["kind"]): void {
  turns++;
  access = undefined;
  writeText(userKey, null);
  const known = user.peek();
  if (known != null) farewell.value = why === undefined ? undefined : { kind: why, email: known.email };
  user.value = null;
}
