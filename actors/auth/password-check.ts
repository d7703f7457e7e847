/** Looks at a password for somebody: slowed down after wrong ones, and in a fair turn with all others. */
import { type IpAddress, networkOf } from "../http/ip-address.ts";
import type { Attempt, Attempts, Try } from "./attempts.ts";
import type { Turn } from "./fair-gate.ts";
import type { Passwords } from "./passwords.ts";

export type PasswordCheck = {
  /** Throws `invalid-credentials` or `rate-limited` unless the password is right, and `overloaded`. Without `stored` it never is. */
  confirm(of: Try, password: string, stored: string | undefined): Promise<void>;
  /** The hash of a new password. Throws `overloaded`. */
  hash(of: Try, password: string): Promise<string>;
  /** Somebody has just shown to be who they say without a password of old: the row of wrong ones ends. */
  trust(of: Try): void;
};

export function passwordCheck(passwords: Passwords, attempts: Attempts): PasswordCheck {
  function turnOf(of: Try): Turn {
    return { network: networkName(of.address), account: of.emailKey, isKnown: attempts.isKnown(of) };
  }

  return {
    async confirm(of, password, stored) {
      // Refused at once, without waiting, and looked at again when it is its turn: there may have been wrong ones meanwhile.
      attempts.begin(of).dropped();
      let attempt: Attempt | undefined;
      let isRight: boolean;
      try {
        isRight = await passwords.matches(password, stored, turnOf(of), () => {
          attempt = attempts.begin(of);
        });
      } catch (thrown) {
        attempt?.dropped();
        throw thrown;
      }
      if (!isRight) throw attempt?.wrong();
      attempt?.right();
    },
    hash: (of, password) => passwords.hash(password, turnOf(of)),
    trust: (of) => attempts.trust(of),
  };
}

function networkName(address: IpAddress | undefined): string {
  return address === undefined ? "unknown" : networkOf(address);
}
