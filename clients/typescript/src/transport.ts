/** Requests that are sent again where that is safe, and sessions that are refreshed before and when they expire. */
import { ConnectionError, ProblemError, problemOf } from "./problem.ts";
import type { Tokens } from "./types.ts";

export type Options = {
  /** An API token (`tt_…`), in the place of a session. */
  readonly apiToken?: string;
  /** Goes on with a session of earlier: only the refresh token is needed. */
  readonly session?: Pick<Session, "refreshToken">;
  /** Told whenever the session begins, is refreshed and ends, to keep it. */
  readonly onSession?: (session: Session | undefined) => void;
  /** For pages of the server's own origin: the refresh token stays in a cookie that no script can read. */
  readonly cookie?: boolean;
  /** How often a request is tried at most; 5 unless given. */
  readonly attemptsMax?: number;
  /** In the place of the platform's own. */
  readonly fetch?: typeof fetch;
};

export type Session = {
  readonly accessToken: string;
  /** Undefined where it is in a cookie. */
  readonly refreshToken: string | undefined;
  /** Of the access token, in epoch milliseconds. */
  readonly expiresMs: number;
};

export type Asked = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isSigned: boolean;
  /** Sent again after a cut, too: it takes effect once. */
  readonly isRepeatable: boolean;
  readonly signal?: AbortSignal | undefined;
};

export type Transport = ReturnType<typeof transport>;

/** A token is refreshed when it has less than this left. */
const refreshBeforeMs = 30_000;
/** Longer waits are the caller's to decide. */
const retryAfterMaxS = 60;

export function transport(url: string, options: Options) {
  const { apiToken, onSession, cookie = false, attemptsMax = 5 } = options;
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const base = url.replace(/\/$/, "");
  let session: Session | undefined = options.session && {
    accessToken: "",
    expiresMs: 0,
    refreshToken: options.session.refreshToken,
  };
  let refreshing: Promise<void> | undefined;
  const delivery: Record<string, string> = cookie ? { "x-token-delivery": "cookie" } : {};

  function begin(tokens: Tokens | undefined): void {
    session = tokens && {
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      expiresMs: Date.now() + tokens.expiresIn * 1_000,
    };
    onSession?.(session);
  }

  /** One at a time: a refresh token is good once. */
  function refresh(): Promise<void> {
    const refreshToken = session?.refreshToken;
    refreshing ??= request({
      method: "POST",
      path: "/v1/auth/refresh",
      headers: delivery,
      body: JSON.stringify(cookie ? {} : { refreshToken }),
      isSigned: false,
      // An answer that was lost is given again for some seconds.
      isRepeatable: true,
    })
      .then(async (response) => begin((await response.json()) as Tokens))
      .catch((failure: unknown) => {
        if (failure instanceof ProblemError && failure.status === 401) begin(undefined);
        throw failure;
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  }

  async function authorization(): Promise<string | undefined> {
    if (apiToken !== undefined) return `Bearer ${apiToken}`;
    if (session !== undefined ? session.expiresMs - Date.now() < refreshBeforeMs : cookie) await refresh();
    return session && `Bearer ${session.accessToken}`;
  }

  async function once(asked: Asked): Promise<Response> {
    const { method, path, body, signal } = asked;
    const signed = asked.isSigned ? await authorization() : undefined;
    const headers = { ...asked.headers, ...(signed === undefined ? {} : { authorization: signed }) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const response = await send(base + path, {
      method,
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((cause: unknown) => {
      if (signal?.aborted === true) throw signal.reason;
      throw new ConnectionError("Cannot reach the server", { cause });
    });
    if (response.ok) return response;
    throw await problemOf(response);
  }

  /** The answer, which is a successful one. Throws `ProblemError` and `ConnectionError`. */
  async function request(asked: Asked): Promise<Response> {
    let isRefreshed = false;
    for (let attempt = 1; ; attempt += 1) {
      const used = session?.accessToken;
      try {
        return await once(asked);
      } catch (failure) {
        const isExpired = failure instanceof ProblemError && failure.code === "unauthenticated" && asked.isSigned;
        if (isExpired && session !== undefined && !isRefreshed) {
          isRefreshed = true;
          if (session.accessToken === used) await refresh();
          continue;
        }
        const waitMs = attempt < attemptsMax ? retryMs(failure, asked, attempt) : undefined;
        if (waitMs === undefined) throw failure;
        await pause(waitMs, asked.signal);
      }
    }
  }

  return { request, refresh, begin, delivery, session: () => session };
}

/** How long to wait before the next attempt; undefined where there must be none. */
function retryMs(failure: unknown, { isRepeatable }: Asked, attempt: number): number | undefined {
  const ownMs = Math.min(200 * 2 ** attempt, 5_000) * (0.5 + Math.random() / 2);
  if (failure instanceof ConnectionError) return isRepeatable ? ownMs : undefined;
  if (!(failure instanceof ProblemError) || ![429, 503].includes(failure.status)) return undefined;
  const { retryAfterS = 0 } = failure;
  return retryAfterS > retryAfterMaxS ? undefined : Math.max(ownMs, retryAfterS * 1_000);
}

/** Rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    if (signal?.aborted === true) stop();
    else signal?.addEventListener("abort", stop, { once: true });
  });
}
