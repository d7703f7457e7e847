/** Accounts and sessions: what each route of the contract's section 2 means, whatever the stores behind the ports are. */
import { createHash } from "node:crypto";
import { v7 as uuidV7 } from "uuid";
import type { IpAddress } from "../http/ip-address.ts";
import { Problem } from "../model/problem.ts";
import type { SignAccessToken } from "./access-token.ts";
import { emailKey } from "./email.ts";
import { refreshGraceMs, sessionIdleMs } from "./lifetimes.ts";
import { accessTokenMs, type Ended } from "./messages.ts";
import type { PasswordCheck } from "./password-check.ts";
import type { EndedSession, ResetTokens, SessionRecord, Sessions, UserChange, UserRecord, Users } from "./ports.ts";
import { firstRefreshToken } from "./refresh-tokens.ts";

/** Tokens of a session just opened or refreshed, and whose it is. */
export type Granted = { accessToken: string; refreshToken: string; expiresInS: number; user: UserRecord };
/** Where a request comes from; undefined where the platform does not tell. */
export type From = IpAddress | undefined;
/** An authenticated request: the account and the session that its access token names. */
export type Signed = { userId: string; sessionId: string };

export type ServiceParts = {
  users: Users;
  sessions: Sessions;
  /** Whether people may make accounts themselves. */
  registration: boolean;
  resetTokens: ResetTokens;
  passwords: PasswordCheck;
  sign: SignAccessToken;
  /** The refresh token that follows this one: the same each time. */
  successor: (refreshToken: string) => string;
  now: () => number;
  /** Called at once, after the sessions' end is durable. */
  announce: (ended: Ended[]) => void;
  /** Ends all API tokens of a user. */
  endApiTokens: (userId: string) => Promise<void>;
  /** Called after a user was erased, whose tasks are to follow. */
  erased: () => void;
};

export type Service = ReturnType<typeof authService>;

const userAgentCharsMax = 512;

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function ended({ sessionId, untilMs }: EndedSession): Ended {
  return { hash: sha256(sessionId), untilMs };
}

function wrongCredentials(): Problem {
  return new Problem("invalid-credentials");
}

function emailTaken(): Problem {
  return new Problem("email-taken");
}

export function authService(parts: ServiceParts) {
  const {
    users,
    sessions,
    registration,
    resetTokens,
    passwords,
    sign,
    successor,
    now,
    announce,
    endApiTokens,
    erased,
  } = parts;

  async function granted(user: UserRecord, sessionId: string, refreshToken: string): Promise<Granted> {
    const accessToken = await sign({ userId: user.id, sessionId, nowMs: now() });
    return { accessToken, refreshToken, expiresInS: accessTokenMs / 1000, user };
  }

  async function openSession(
    user: UserRecord,
    userAgent: string | null,
  ): Promise<{ sessionId: string; refreshToken: string }> {
    const refreshToken = firstRefreshToken();
    const nowMs = now();
    const session = {
      id: uuidV7(),
      userId: user.id,
      userAgent: userAgent?.slice(0, userAgentCharsMax) ?? null,
      createdMs: nowMs,
      usedMs: nowMs,
      expiresMs: nowMs + sessionIdleMs,
    };
    await sessions.open(session, sha256(refreshToken));
    return { sessionId: session.id, refreshToken };
  }

  async function endSessions(which: Parameters<Sessions["end"]>[0]): Promise<number> {
    const those = await sessions.end(which, now());
    if (those.length > 0) announce(those.map(ended));
    return those.length;
  }

  /** The account of a living session; a session whose account is gone is no session. */
  async function account(userId: string): Promise<UserRecord> {
    const user = await users.byId(userId);
    if (user === undefined) throw new Problem("unauthenticated");
    return user;
  }

  async function confirmed(userId: string, currentPassword: string, from: From): Promise<UserRecord> {
    const user = await account(userId);
    await passwords.confirm({ emailKey: user.emailKey, address: from }, currentPassword, user.passwordHash);
    return user;
  }

  return {
    /** Throws `registration-closed`, and `email-taken`: the hash is made only when the address is free, the insert decides. */
    async register(of: {
      email: string;
      password: string;
      name: string | null;
      userAgent: string | null;
      from: From;
    }): Promise<Granted> {
      if (!registration) throw new Problem("registration-closed");
      const key = emailKey(of.email);
      if (await users.byEmailKey(key)) throw emailTaken();
      const asked = { emailKey: key, address: of.from };
      const passwordHash = await passwords.hash(asked, of.password);
      const user = { id: uuidV7(), email: of.email, emailKey: key, name: of.name, passwordHash, createdMs: now() };
      if ((await users.insert(user)) === "email-taken") throw emailTaken();
      passwords.trust(asked);
      const { sessionId, refreshToken } = await openSession(user, of.userAgent);
      return granted(user, sessionId, refreshToken);
    },

    /** Throws `invalid-credentials` or `rate-limited`, after the same work, for an unknown e-mail and for a wrong password. */
    async login(of: { email: string; password: string; userAgent: string | null; from: From }): Promise<Granted> {
      const key = emailKey(of.email);
      const user = await users.byEmailKey(key);
      await passwords.confirm({ emailKey: key, address: of.from }, of.password, user?.passwordHash);
      if (user === undefined) throw wrongCredentials();
      const { sessionId, refreshToken } = await openSession(user, of.userAgent);
      // A password changed while this one was checked has ended all sessions, perhaps before this one was opened.
      const latest = await users.byId(user.id);
      if (latest?.passwordHash !== user.passwordHash) {
        await endSessions({ userId: user.id, sessionId });
        throw wrongCredentials();
      }
      return granted(latest, sessionId, refreshToken);
    },

    /** Spends the refresh token; within the grace its successor is answered again. Throws `token-reused` (the session is ended then) or `unauthenticated`. */
    async refresh(presented: string): Promise<Granted> {
      const next = successor(presented);
      const nowMs = now();
      const rotation = await sessions.rotate({
        presented: sha256(presented),
        next: sha256(next),
        nowMs,
        graceMs: refreshGraceMs,
        expiresMs: nowMs + sessionIdleMs,
      });
      if (rotation.outcome === "unknown")
        throw new Problem("unauthenticated", "The refresh token is unknown, or its session has ended");
      if (rotation.outcome === "reused") {
        announce([ended(rotation.revoked)]);
        throw new Problem("token-reused");
      }
      return granted(await account(rotation.session.userId), rotation.session.id, next);
    },

    async logout({ userId, sessionId }: Signed): Promise<void> {
      await endSessions({ userId, sessionId });
    },

    async logoutAll(userId: string): Promise<void> {
      await endSessions({ userId });
    },

    me: account,

    /** Whether this is another e-mail than the account's. */
    async isNewEmail(userId: string, email: string): Promise<boolean> {
      return (await account(userId)).email !== email;
    },

    /** Changes what is given, an e-mail with the current password only: one without it is not looked at. Whenever a password is given it must be right. */
    async changeMe(
      userId: string,
      to: { name?: string | null; email?: string; currentPassword?: string },
      from: From,
    ): Promise<UserRecord> {
      const user = await account(userId);
      if (to.currentPassword !== undefined) await confirmed(userId, to.currentPassword, from);
      const change: UserChange = {
        ...(to.name !== undefined && { name: to.name }),
        ...(to.email !== undefined &&
          to.currentPassword !== undefined && { email: to.email, emailKey: emailKey(to.email) }),
      };
      if (Object.keys(change).length === 0) return user;
      const changed = await users.change(userId, change);
      if (changed === "email-taken") throw emailTaken();
      if (changed === undefined) throw new Problem("unauthenticated");
      return changed;
    },

    /**
     * All other sessions end: before the change, so that a crash in between leaves nothing of the old password signed in behind a
     * new one, and after it, for those who signed in meanwhile.
     */
    async changePassword(
      { userId, sessionId }: Signed,
      to: { currentPassword: string; newPassword: string },
      from: From,
    ): Promise<void> {
      const { emailKey: key } = await confirmed(userId, to.currentPassword, from);
      const passwordHash = await passwords.hash({ emailKey: key, address: from }, to.newPassword);
      await endSessions({ userId, exceptId: sessionId });
      await users.change(userId, { passwordHash });
      await endSessions({ userId, exceptId: sessionId });
    },

    /**
     * Sets the password that the operator's link allows to set; sessions end as with a changed one. Throws `unauthenticated` for a token that is unknown,
     * spent or out of date: then nothing was hashed, and no session ended.
     */
    async reset(of: { resetToken: string; newPassword: string; from: From }): Promise<void> {
      const refused = () => new Problem("unauthenticated", "The reset token is unknown, spent or out of date.");
      const hash = sha256(of.resetToken);
      const userId = await resetTokens.userOf(hash, now());
      const user = userId === undefined ? undefined : await users.byId(userId);
      if (user === undefined) throw refused();
      const asked = { emailKey: user.emailKey, address: of.from };
      const passwordHash = await passwords.hash(asked, of.newPassword);
      await endSessions({ userId: user.id });
      if (!(await resetTokens.spend({ hash, passwordHash }, now()))) throw refused();
      await endSessions({ userId: user.id });
      passwords.trust(asked);
    },

    /** Of these users the ones that there are, in the order in which they were named. */
    async named(ids: readonly string[]): Promise<UserRecord[]> {
      const found = new Map((await users.byIds(ids)).map((user) => [user.id, user]));
      return [...new Set(ids)].flatMap((id) => found.get(id) ?? []);
    },

    /**
     * All that signs in is ended first: a crash in between leaves an account that can be erased again. What was made meanwhile is ended after.
     * That the user's tasks are erased too is noted in the same step that removes the user.
     */
    async erase(userId: string, currentPassword: string, from: From): Promise<void> {
      await confirmed(userId, currentPassword, from);
      const endAll = () => Promise.all([endSessions({ userId }), endApiTokens(userId)]);
      await endAll();
      if (!(await users.erase(userId, now()))) throw new Problem("unauthenticated");
      await endAll();
      erased();
    },

    sessionsOf(userId: string): Promise<SessionRecord[]> {
      return sessions.living({ userId }, now());
    },

    /** Throws `not-found` for a session of somebody else, ended or never there. */
    async endSession(userId: string, sessionId: string): Promise<void> {
      if ((await endSessions({ userId, sessionId })) === 0) throw new Problem("not-found");
    },

    /** Whether the session goes on and is this user's. */
    async isLiving({ userId, sessionId }: Signed): Promise<boolean> {
      const [session] = await sessions.living({ sessionId }, now());
      return session?.userId === userId;
    },

    /** Ended sessions of which access tokens may still be in date. */
    async revoked(): Promise<Ended[]> {
      return (await sessions.revoked(now())).map(ended);
    },
  };
}
