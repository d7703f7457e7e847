/** What an operator does to accounts from outside the process: links that let people set a password. */
import { randomBytes } from "node:crypto";
import { hash } from "@node-rs/argon2";
import { v7 as uuidV7 } from "uuid";
import { checker } from "../http/validate.ts";
import type { Fault } from "../model/problem.ts";
import { emailKey } from "./email.ts";
import { resetMs } from "./lifetimes.ts";
import { NewUser } from "./models.ts";
import { hashParameters } from "./passwords.ts";
import type { ResetTokens, Users } from "./ports.ts";
import { sha256 } from "./service.ts";

/** Refused before anything was changed; the message is one clear line. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}

const faultsOf = checker(NewUser);

export function operator(parts: { users: Users; resetTokens: ResetTokens; now: () => number }) {
  const { users, resetTokens, now } = parts;

  async function issue(userId: string): Promise<string> {
    const token = `rs_${randomBytes(32).toString("base64url")}`;
    const nowMs = now();
    await resetTokens.issue({ hash: sha256(token), userId, expiresMs: nowMs + resetMs }, nowMs);
    return token;
  }

  return {
    /** The token with which the user of that e-mail sets a new password. */
    async resetPassword(email: string): Promise<string> {
      const user = await users.byEmailKey(emailKey(email));
      if (user === undefined) throw new OperatorError("Cannot reset the password: no account has this e-mail");
      return await issue(user.id);
    },

    /** Adds an account that nobody can sign in to, and the token with which its user sets a password. */
    async addUser(given: { email: string; name?: string }): Promise<string> {
      const [fault] = faultsOf(given);
      if (fault !== undefined) throw new OperatorError(`Cannot add the account: ${told(fault)}`);
      const { email, name = null } = given;
      const key = emailKey(email);
      // Of nobody's password, but a hash like all others: signing in to it takes as long, and fails.
      const passwordHash = await hash(randomBytes(32), hashParameters);
      const user = { id: uuidV7(), email, emailKey: key, name, passwordHash, createdMs: now() };
      if ((await users.insert(user)) === "email-taken")
        throw new OperatorError(
          "Cannot add the account: another one has this e-mail; `reset-password` makes a link for it",
        );
      return await issue(user.id);
    },
  };
}

function told({ path, message }: Fault): string {
  return path === "/email" ? `the e-mail ${message}` : `the name ${message}`;
}
