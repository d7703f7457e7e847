/** The auth role as the `task` role needs it: who tokens stand for, and the paths that are its own. In this process it is an actor, else it is asked over HTTP. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Self } from "../../runtime/actor.ts";
import { type ApiTokenGrant, auth, type Ended, type Standing } from "../auth/messages.ts";
import { forwardOverHttp } from "../auth-client/forward-http.ts";
import { followRevocations } from "../auth-client/revocation-feed-redis.ts";
import { standingOverHttp } from "../auth-client/standing-http.ts";
import { NotWell } from "../report-health.ts";
import type { Server } from "../servers.ts";
import { forward } from "./auth-forward.ts";

export type Accounts = {
  forward(request: Request): Promise<Response>;
  /** Rejects when auth does not answer in time. */
  apiToken(of: { readonly token: string; readonly hash: string }): Promise<ApiTokenGrant>;
  /** Resolves when the keys have been learned. */
  known(): Promise<void>;
  /** Throws when accounts cannot be asked now. */
  ready(): Promise<void>;
  /** Throws when auth is away, or when nobody can be known because its keys have never been learned. */
  probe(): void;
  close(): void;
};

type Learn = { learn: (standing: Standing) => void; revoke: (ended: Ended[]) => void };

const standingAskMs = 2_000;
const standingPauseMs = 100;
const readyMs = 1_000;
/** Several rounds of asking. */
const awayMs = 4_000;
const unknown = () => new NotWell("its keys are not known yet", { needed: true });

/** Learns auth's keys by asking until it answers: it may be restarting, or waiting for its database. */
export function accountsHere(self: Pick<Self, "ref" | "log" | "stopping">, { learn }: Learn): Accounts {
  const ref = self.ref(auth);
  async function learning(): Promise<void> {
    for (let tries = 1; !self.stopping.aborted; tries++) {
      try {
        return learn(await ref.ask("standing", null, { withinMs: standingAskMs }));
      } catch (failure) {
        if (tries === 1) self.log("warn", "auth-not-reached", { reason: (failure as Error).message });
        await sleep(standingPauseMs);
      }
    }
  }
  let isKnown = false;
  const learned = learning().then(() => {
    isKnown = true;
  });
  return {
    forward: (request) => forward(ref, request),
    apiToken: ({ hash }) => ref.ask("apiToken", { hash }),
    known: () => learned,
    ready: async () => void (await ref.ask("ready", null, { withinMs: readyMs })),
    probe() {
      if (!isKnown) throw unknown();
    },
    close: () => undefined,
  };
}

export type RemoteAuth = { authUrl: string; issuer: string; audience: string; redis?: Server };

/** What has ended comes at once through Redis where there is one, and with the next of auth's answers anyway. */
export function accountsOverHttp(self: Pick<Self, "log">, { learn, revoke }: Learn, options: RemoteAuth): Accounts {
  const { authUrl, issuer, audience, redis } = options;
  let learnedMs: number | undefined;
  const take = (standing: Standing) => {
    learnedMs = Date.now();
    learn(standing);
  };
  const standing = standingOverHttp({ authUrl, take, log: self.log, claims: { issuer, audience } });
  const feed = redis === undefined ? undefined : followRevocations(redis, revoke);
  return {
    forward: (request) => forwardOverHttp(authUrl, request),
    apiToken: ({ token }) => standing.verifyApiToken(token),
    known: standing.first,
    ready: async () => undefined,
    probe() {
      if (learnedMs === undefined) throw unknown();
      if (Date.now() - learnedMs > awayMs) throw new NotWell("not reached");
    },
    close() {
      feed?.close();
      standing.close();
    },
  };
}
