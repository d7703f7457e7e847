/** What the service needs from its stores. Every method is durable when it resolves. Adapters: users-, sessions-, api-tokens- and keys-, each -sqlite and -postgres. */
import type { Ended } from "./messages.ts";

/** `emailKey` is what makes an e-mail unique; `name` is null until given. */
export type UserRecord = {
  id: string;
  email: string;
  emailKey: string;
  name: string | null;
  passwordHash: string;
  createdMs: number;
};
export type UserChange = Partial<Pick<UserRecord, "email" | "emailKey" | "name" | "passwordHash">>;

export type Users = {
  /** Taken is judged by `emailKey` alone, whatever races. */
  insert(user: UserRecord): Promise<"inserted" | "email-taken">;
  byId(id: string): Promise<UserRecord | undefined>;
  /** Those of them that there are, in any order; an id may be named twice. */
  byIds(ids: readonly string[]): Promise<UserRecord[]>;
  byEmailKey(emailKey: string): Promise<UserRecord | undefined>;
  /** One atomic change of the named fields; the user as it is afterwards, undefined when there is none. */
  change(id: string, change: UserChange): Promise<UserRecord | "email-taken" | undefined>;
  /** Removes the user, and notes in the same step that what the user has elsewhere is to be erased. False when there is none. */
  erase(id: string, nowMs: number): Promise<boolean>;
};

/** Tokens to set a new password, by the SHA-256 of their text. They end with their user. */
export type ResetTokens = {
  /** Takes the place of the user's earlier one. */
  issue(token: { hash: string; userId: string; expiresMs: number }, nowMs: number): Promise<void>;
  /** Whose it is; undefined when it is unknown, spent or out of date. */
  userOf(hash: string, nowMs: number): Promise<string | undefined>;
  /** Spends it for a new password in one atomic step. False when it is unknown, spent or out of date. */
  spend(of: { hash: string; passwordHash: string }, nowMs: number): Promise<boolean>;
};

/** Erased users whose tasks are not erased yet: a list that outlives a crash, kept beside the users. */
export type Erasures = {
  /** Ids of users, the oldest erasure first, a hundred at most. */
  waiting(): Promise<string[]>;
  /** Repeating it is harmless. */
  done(userId: string): Promise<void>;
};

/** `expiresMs` moves on with every refresh. */
export type SessionRecord = {
  id: string;
  userId: string;
  userAgent: string | null;
  createdMs: number;
  usedMs: number;
  expiresMs: number;
};

export type Rotation = {
  /** SHA-256 of the refresh token presented, and of its successor: of the same token always the same. */
  presented: string;
  next: string;
  nowMs: number;
  /** How long after it was spent a token is answered with its successor again, unless that one was spent already. */
  graceMs: number;
  expiresMs: number;
};

/** An ended session, and until when access tokens of it may be in date. */
export type EndedSession = { sessionId: string; untilMs: number };

export type Sessions = {
  open(session: SessionRecord, refreshHash: string): Promise<void>;
  /**
   * Spends a refresh token in one atomic step; each has one successor, however many spend it at once. `reused`: it was spent before and the grace does
   * not apply; the session is ended by this very step. `unknown`: there is no such token, its session ended or ran out, or its successor is another
   * one (made with a key that has gone).
   */
  rotate(
    rotation: Rotation,
  ): Promise<
    | { outcome: "rotated"; session: SessionRecord }
    | { outcome: "reused"; revoked: EndedSession }
    | { outcome: "unknown" }
  >;
  /** Sessions neither ended nor run out, oldest first. */
  living(of: { sessionId: string } | { userId: string }, nowMs: number): Promise<SessionRecord[]>;
  /** Ends the user's living sessions: one, all, or all but one. Repeating it is harmless; answers those ended now. */
  end(which: { userId: string; sessionId?: string; exceptId?: string }, nowMs: number): Promise<EndedSession[]>;
  /** Sessions ended so lately that access tokens of them may still be in date. */
  revoked(nowMs: number): Promise<EndedSession[]>;
};

export type ApiTokenRecord = {
  id: string;
  hash: string;
  userId: string;
  name: string;
  scopes: string[];
  createdMs: number;
  expiresMs: number | null;
};

export type ApiTokens = {
  insert(token: ApiTokenRecord): Promise<void>;
  byHash(hash: string): Promise<ApiTokenRecord | undefined>;
  /** Oldest first, run out ones included. */
  ofUser(userId: string): Promise<ApiTokenRecord[]>;
  /** The token removed, undefined when this user has none of that id. */
  remove(userId: string, id: string, nowMs: number): Promise<ApiTokenRecord | undefined>;
  /** Removes all of the user's, and answers them. */
  removeAll(userId: string, nowMs: number): Promise<ApiTokenRecord[]>;
  /** Tokens removed so lately that somebody may still remember what they granted. */
  removed(nowMs: number): Promise<Ended[]>;
};

/** `kid` is the key's thumbprint, `privateJwk` the key as JSON (RFC 8037). */
export type NewKey = { kid: string; privateJwk: string };

/** Tells what has ended to whoever verifies tokens. It only hastens what they learn anyway. */
export type Revocations = {
  /** Never rejects, and ends within 300 ms whether anybody was told or not. */
  announce(ended: Ended[]): Promise<void>;
};

export type Keys = {
  /** The newest key; where there is none, the one of `make`. Two processes that start at once get the same one. */
  newest(make: () => NewKey, nowMs: number): Promise<NewKey>;
};
