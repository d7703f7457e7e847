/** The auth role as the `task` role needs it: who tokens stand for, and the paths that are its own. */
import type { ApiTokenGrant, Ended, Standing } from "../auth/messages.ts";
import { Unhealthy } from "../health/report-health.ts";
import type { AskSession } from "./session-check.ts";

export type Accounts = {
  /** `remoteAddress` is the other end of the connection over which the request came. */
  forward(request: Request, remoteAddress?: string | undefined): Promise<Response>;
  /** Rejects when auth does not answer in time. */
  apiToken(of: { readonly token: string; readonly hash: string }): Promise<ApiTokenGrant>;
  /** Whether the session goes on and is that user's. Rejects when auth does not answer. */
  session: AskSession;
  /** Resolves when the keys have been learned. */
  known(): Promise<void>;
  /** Asks auth again which sessions and tokens have ended. Rejects when auth does not answer. */
  catchUp(): Promise<void>;
  /** Throws when accounts cannot be asked now. */
  ready(): Promise<void>;
  /** Throws when auth is away, or when nobody can be known because its keys have never been learned. */
  probe(): void;
  close(): void;
};

export type Learn = { learn: (standing: Standing) => void; revoke: (ended: readonly Ended[]) => void };

/** Nobody can be known before auth has been asked once. */
export const unknownKeys = () => new Unhealthy("its keys are not known yet", { needed: true });
