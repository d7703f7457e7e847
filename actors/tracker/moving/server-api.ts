/** The server as export and import use it: its HTTP API with an API token, asked again for minutes while it is away. */
import { ConnectionError, ProblemError } from "../../../clients/typescript/src/problem.ts";
import { pause, transport } from "../../../clients/typescript/src/transport.ts";
import { linesOf, objectOf } from "./lines.ts";
import { lineBytesMax, MovingError } from "./moving-file.ts";

export type Applied = { readonly items: readonly (Readonly<Record<string, unknown>> | null)[] };

export type ServerApi = {
  /** Read whole, and with all that was written before by this. Throws `ProblemError` for what the server refuses. */
  get(path: string): Promise<unknown>;
  /** The objects of an answer in lines, as they come. */
  lines(path: string): AsyncGenerator<Readonly<Record<string, unknown>>>;
  /** A change that takes effect once, however often it has to be sent. Resolves when it is decided. Throws `ProblemError` where it is refused. */
  change(path: string, body: unknown, key?: string): Promise<Readonly<Record<string, unknown>> & Partial<Applied>>;
  /** Changes at most in one request, so that the server's rate limit lets it pass. */
  changesMax(): number;
};

export type ServerApiOptions = {
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
  /** Told once for each reason whenever the server has to be waited for. */
  readonly onWait: (why: string) => void;
};

const batchMax = 500;
/** Of one request, and of the silence of a long answer. */
const answerMs = 60_000;
/** With pauses of up to 5 s: a server that restarts, or is restored, is waited for about ten minutes. */
const attemptsMax = 150;
const firstAttemptsMax = 3;
const pollMs = 200;
/**
 * An answer that may lack what the user wrote before is asked for again for so long in all: a space that was made just now is to be found. No longer, since
 * answers may say so for hours, while Redis is away.
 */
const staleMs = 10_000;
/** What the log has and the writer has not decided yet is waited for so long. */
const decidedMs = 600_000;

export function serverApi({ url, token, signal, onWait }: ServerApiOptions): ServerApi {
  let waitsFor = "";
  let isReached = false;
  let busyInARow = 0;
  /** Of the last answer to a change: what others did before that change is known to whoever sends it back, too. */
  let consistencyToken: string | undefined;
  let staleUntilMs: number | undefined;
  let requestsMax = batchMax;

  /** Bodies are read here, within the deadline: an answer that is cut off is asked for again. */
  async function whole(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const response = await begun(input, init, AbortSignal.timeout(answerMs));
    const bytes = await response.arrayBuffer();
    const { status, headers } = response;
    return new Response(bytes.byteLength === 0 ? null : bytes, { status, headers });
  }

  /** Resolves with the headers; `timeout` ends what comes behind them, too. */
  async function begun(input: string | URL | Request, init?: RequestInit, timeout?: AbortSignal): Promise<Response> {
    const early = new AbortController();
    const timer = setTimeout(() => early.abort(new Error("The server does not answer in time")), answerMs);
    try {
      const ends = [early.signal, init?.signal, timeout].filter((each) => each instanceof AbortSignal);
      const response = await fetch(input, { ...init, signal: AbortSignal.any(ends) });
      observe(response);
      return response;
    } catch (failure) {
      wait("it cannot be reached");
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  function observe({ status, headers }: Response): void {
    const [, policy] = /;q=(\d+)/.exec(headers.get("ratelimit-policy") ?? "") ?? [];
    if (policy !== undefined) requestsMax = Math.max(1, Math.min(batchMax, Number(policy)));
    consistencyToken = headers.get("consistency-token") ?? consistencyToken;
    busyInARow = status === 503 ? busyInARow + 1 : 0;
    if (status === 429) wait("its rate limit is reached");
    // A read model that is a second behind is nothing to tell of.
    else if (status === 503 && busyInARow > 1) wait("it is busy or a part of it is away");
    else if (status !== 503) {
      waitsFor = "";
      isReached = true;
    }
  }

  function wait(why: string): void {
    if (waitsFor === why || !isReached) return;
    waitsFor = why;
    onWait(`Waiting for the server: ${why}`);
  }

  const via = (fetching: typeof whole, attempts: number) =>
    transport(url, { apiToken: token, attemptsMax: attempts, fetch: fetching as typeof fetch });
  const first = via(whole, firstAttemptsMax);
  const patient = via(whole, attemptsMax);
  const streaming = via((input, init) => begun(input, init), attemptsMax);
  const ask = { isSigned: true, isRepeatable: true, signal } as const;

  async function get(path: string): Promise<unknown> {
    for (;;) {
      const headers = consistencyToken === undefined ? {} : { "consistency-token": consistencyToken };
      // A wrong address is told at once.
      const response = await (isReached ? patient : first).request({ ...ask, method: "GET", path, headers });
      const isStale = response.headers.get("consistency") === "stale" && consistencyToken === undefined;
      if (isStale) staleUntilMs ??= Date.now() + staleMs;
      if (!isStale || Date.now() > (staleUntilMs ?? 0)) return await response.json();
      await pause(pollMs, signal);
    }
  }

  return {
    get,
    changesMax: () => requestsMax,

    async *lines(path) {
      const { body } = await streaming.request({ ...ask, method: "GET", path });
      if (body === null) throw new ConnectionError("The answer has no body");
      for await (const line of linesOf(unlessSilent(body), lineBytesMax)) {
        const object = objectOf(line);
        if (object === undefined) throw new ConnectionError("The answer is not what was asked for");
        yield object;
      }
    },

    async change(path, body, key = crypto.randomUUID()) {
      const headers = { "idempotency-key": key };
      const text = JSON.stringify(body);
      const response = await patient.request({ ...ask, method: "POST", path, headers, body: text });
      const answer = (await response.json()) as Readonly<Record<string, unknown>>;
      if (response.status !== 202) return answer;
      const location = response.headers.get("location") ?? "";
      const at = location.slice(Math.max(0, location.indexOf("/v1/")));
      for (const untilMs = Date.now() + decidedMs; Date.now() < untilMs; ) {
        await pause(pollMs, signal);
        const operation = (await get(at)) as { status: string; items?: Applied["items"]; problem?: { status: number } };
        if (operation.status === "rejected") throw refusal(operation.problem);
        if (operation.status === "applied")
          return { ...operation, ...operation.items?.[0], items: operation.items ?? [] };
      }
      throw new ConnectionError("It does not decide what it has recorded");
    },
  };
}

function refusal(problem: { readonly status: number } | undefined): ProblemError {
  return new ProblemError((problem ?? {}) as object, problem?.status ?? 409);
}

/** The chunks of a body, each of which comes within the deadline. */
async function* unlessSilent(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const silence = Promise.withResolvers<never>();
      const timer = setTimeout(() => silence.reject(new ConnectionError("The answer stopped")), answerMs);
      const { done, value } = await Promise.race([reader.read(), silence.promise]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** What a failed request is to whoever started the command. `url` has neither user nor password. */
export function toldFailure(failure: unknown, url: string): unknown {
  if (failure instanceof ConnectionError)
    return new Error(`Cannot reach the server at ${url} (${failure.message}); run it again`);
  if (!(failure instanceof ProblemError)) return failure;
  const { status, code, message } = failure;
  if (status === 401) return new MovingError(`Cannot sign in at ${url}: the API token is wrong, expired or revoked`);
  if (status === 403)
    return new MovingError(
      `Cannot go on at ${url}: the API token lacks a scope (tasks:read; to import tasks:write; to make spaces spaces:admin), or its user a role`,
    );
  return new Error(`Cannot go on at ${url}: it answered ${status} ${code}: ${message}`);
}
