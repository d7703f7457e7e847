/** Wrong passwords slow down who sends them: by account and network together, and by address alone. Kept in memory, in each process apart. */
import { createHmac, randomBytes } from "node:crypto";
import { type IpAddress, ipText, networkOf } from "../http/ip-address.ts";
import { counter } from "../metrics/registry.ts";
import { Problem } from "../model/problem.ts";

/** Whose password is tried (by the key of its e-mail, whether or not there is such an account), and from where. */
export type Try = { readonly emailKey: string; readonly address: IpAddress | undefined };

export type Refusal = {
  readonly code: "invalid-credentials" | "rate-limited";
  /** `unknown` where the platform did not tell. */
  readonly address: string;
  /** The same for the same account, for as long as this process lives; nobody's e-mail can be told from it. */
  readonly account: string;
};

export type Attempt = {
  /** The password was right: the row of wrong ones ends. */
  right(): void;
  /** It was wrong; what to answer. */
  wrong(): Problem;
  /** It was not looked at. */
  dropped(): void;
};

export type Attempts = {
  /** Somebody has just been right in another way: the row of wrong ones ends. */
  trust(of: Try): void;
  /** Whether this account was right from there before, and did not send a row of wrong ones since. */
  isKnown(of: Try): boolean;
  /** To be called right before a password is looked at; also earlier, to refuse in time. Throws `rate-limited`. */
  begin(of: Try): Attempt;
};

export type AttemptsParts = {
  now: () => number;
  /** Without it nothing is slowed down. */
  delays: boolean;
  /** Is told of each refusal. */
  refused: (refusal: Refusal) => void;
};

/** So many wrong ones in a row cost nothing; the delay after the next begins with a second and doubles. */
const freeInRow = 5;
const pairDelayMaxMs = 15 * 60_000;
const addressDelayMaxMs = 5_000;
/** A row is over when nobody added to it for so long. */
const rowMs = 60 * 60_000;
const rowsMax = 100_000;

const refusals = counter(
  "login_refusals_total",
  "Passwords refused: wrong ones, and those that came too early after wrong ones.",
  {
    labels: ["reason"],
    known: [["wrong"], ["delayed"]],
  },
);
const refusedWrong = refusals.of("wrong");
const refusedDelayed = refusals.of("delayed");

/** Wrong passwords in a row. */
type Row = { wrong: number; checking: number; untilMs: number; lastMs: number; wasRight: boolean };

export function attempts({ now, delays, refused }: AttemptsParts): Attempts {
  const pairs = new Map<string, Row>();
  const addresses = new Map<string, Row>();
  const salt = randomBytes(32);
  const nameOf = (emailKey: string) => createHmac("sha256", salt).update(emailKey).digest("hex").slice(0, 16);

  function rowsOf({ emailKey, address }: Try, nowMs: number) {
    const account = nameOf(emailKey);
    const where = address === undefined ? "unknown" : ipText(address);
    const network = address === undefined ? where : networkOf(address);
    const pair = rowOf(pairs, `${account} ${network}`, nowMs);
    const alone = rowOf(addresses, address?.bytes.length === 4 ? where : network, nowMs);
    return { account, where, pair, alone };
  }

  return {
    trust(of) {
      const { pair, alone } = rowsOf(of, now());
      end(pair);
      end(alone);
    },
    isKnown(of) {
      const { pair } = rowsOf(of, now());
      return pair.wasRight && pair.wrong < freeInRow;
    },
    begin(of) {
      const nowMs = now();
      const { account, where, pair, alone } = rowsOf(of, nowMs);
      const rows = [pair, alone];

      function refusal(code: Refusal["code"], atMs: number): Problem {
        refused({ code, address: where, account });
        (code === "rate-limited" ? refusedDelayed : refusedWrong).add();
        return code === "rate-limited" ? tooEarly(Math.max(pair.untilMs, alone.untilMs) - atMs) : new Problem(code);
      }

      // Somebody who was right from there before is not kept out by what others do at the same address.
      const isLet = mayTry(pair, nowMs) && (pair.wasRight || mayTry(alone, nowMs));
      if (delays && !isLet) throw refusal("rate-limited", nowMs);
      const isEarly = delays && rows.some(({ untilMs }) => nowMs < untilMs);
      for (const row of rows) row.checking += 1;
      const settled = (change: (row: Row, delayMaxMs: number) => void): void => {
        for (const row of rows) row.checking -= 1;
        change(pair, pairDelayMaxMs);
        change(alone, addressDelayMaxMs);
      };
      return {
        right: () => settled(end),
        wrong() {
          const atMs = now();
          settled((row, delayMaxMs) => {
            row.wrong += 1;
            row.lastMs = atMs;
            row.untilMs = atMs + delayMs(row.wrong, delayMaxMs);
          });
          return refusal(isEarly ? "rate-limited" : "invalid-credentials", atMs);
        },
        dropped: () => settled(() => undefined),
      };
    },
  };
}

function end(row: Row): void {
  row.wrong = 0;
  row.untilMs = 0;
  row.wasRight = true;
}

/** The sixth in a row is still looked at, in case it is right. */
function mayTry({ wrong, checking, untilMs }: Row, nowMs: number): boolean {
  return wrong + checking <= freeInRow || (nowMs >= untilMs && checking === 0);
}

function delayMs(wrong: number, mostMs: number): number {
  return wrong < freeInRow ? 0 : Math.min(mostMs, 1_000 * 2 ** Math.min(wrong - freeInRow, 30));
}

function tooEarly(remainingMs: number): Problem {
  const retryAfterS = Math.max(1, Math.ceil(remainingMs / 1_000));
  return new Problem("rate-limited", "Too many wrong passwords in a row; Retry-After says when to try again.", {
    headers: { "retry-after": String(retryAfterS) },
  });
}

/** The row of that name, a new one where there is none, moved to the end: the first is the one that was not used for the longest time. */
function rowOf(rows: Map<string, Row>, name: string, nowMs: number): Row {
  const found = rows.get(name) ?? { wrong: 0, checking: 0, untilMs: 0, lastMs: nowMs, wasRight: false };
  if (nowMs - found.lastMs >= rowMs || nowMs < found.lastMs - rowMs) {
    found.wrong = 0;
    found.untilMs = 0;
  }
  rows.delete(name);
  rows.set(name, found);
  if (rows.size > rowsMax) rows.delete(rows.keys().next().value as string);
  return found;
}
