/**
 * One attempt to deliver: the name is resolved once, every address of it is checked, and the connection goes to one that was checked, with the certificate
 * checked against the name. Each attempt looks the name up again; redirects are not followed.
 */
import { lookup } from "node:dns/promises";
import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { rootCertificates } from "node:tls";
import { unlessAborted } from "../waiting.ts";
import type { AddressRules } from "./addresses.ts";

const attemptTimeoutMs = 15_000;
const answerBytesMax = 64 * 1_024;

export type Sending = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Ends the attempt, which then fails. */
  readonly signal: AbortSignal;
};

/** `status`: of the answer, where there was one. `error`: what went wrong, in words that tell nothing of the network. */
export type Sent = { readonly status?: number; readonly retryAfter?: string; readonly error?: string };

export type Send = (sending: Sending) => Promise<Sent>;

export type SendParts = {
  readonly rules: AddressRules;
  /** All addresses of a name. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
  readonly timeoutMs?: number;
  /** Certificate authorities beside the public ones, in PEM. */
  readonly ca?: string;
};

/** Thrown with words for the owner of the webhook. */
class Refused extends Error {}

export function sender({ rules, resolve = resolved, timeoutMs = attemptTimeoutMs, ca }: SendParts): Send {
  const trusted = ca === undefined ? {} : { ca: [...rootCertificates, ca] };
  return async ({ url: text, headers, body, signal }) => {
    const ending = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const url = new URL(text);
      const address = await unlessAborted(checkedAddress(url, rules, resolve), ending);
      return await post({ url, address, headers, body, ending, ...trusted });
    } catch (failure) {
      return { error: wordsOf(failure, ending) };
    }
  };
}

async function resolved(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true, verbatim: true })).map(({ address }) => address);
}

/** The address to connect to. One that may not be reached refuses the name as a whole. */
async function checkedAddress(
  url: URL,
  rules: AddressRules,
  resolve: NonNullable<SendParts["resolve"]>,
): Promise<string> {
  const name = hostOf(url);
  const addresses = isIP(name) === 0 ? await resolve(name) : [name];
  const [first] = addresses;
  if (first === undefined) throw new Refused("the name has no address");
  if (!addresses.every(rules.mayReach)) throw new Refused("the address is not public");
  if (url.protocol !== "https:" && !(url.protocol === "http:" && addresses.every(rules.isAllowed)))
    throw new Refused("only https is allowed");
  return first;
}

/** Without the brackets of IPv6. */
function hostOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

type Posting = Pick<Sending, "headers" | "body"> & {
  readonly url: URL;
  readonly address: string;
  readonly ending: AbortSignal;
  readonly ca?: readonly string[];
};

function post({ url, address, headers, body, ending, ca }: Posting): Promise<Sent> {
  // Whatever name is asked for, and however often: there is one address.
  const family = isIP(address);
  const pinned: LookupFunction = (_name, options, done) =>
    options.all === true ? done(null, [{ address, family }]) : done(null, address, family);
  const options = {
    method: "POST",
    hostname: hostOf(url),
    port: url.port === "" ? undefined : Number(url.port),
    path: `${url.pathname}${url.search}`,
    // No connection outlives its attempt: the next one is checked again.
    headers: { ...headers, connection: "close", "content-length": String(Buffer.byteLength(body)) },
    agent: false as const,
    lookup: pinned,
    ...(ca === undefined ? {} : { ca: [...ca] }),
  };
  return new Promise((resolve, reject) => {
    let sent: ClientRequest | undefined;
    let answered: IncomingMessage | undefined;
    const end = (settle: () => void) => {
      ending.removeEventListener("abort", onAbort);
      settle();
      sent?.destroy();
    };
    // A body that trickles takes nothing back: the status has come.
    const onAbort = () =>
      end(() => (answered !== undefined && isTimeout(ending) ? resolve(sentOf(answered)) : reject(ending.reason)));
    ending.addEventListener("abort", onAbort);
    if (ending.aborted) return onAbort();
    try {
      sent = (url.protocol === "https:" ? requestHttps : requestHttp)(options, (answer) => {
        answered = answer;
        dropped(answer, () => end(() => resolve(sentOf(answer))));
      });
      sent.on("error", (error) => end(() => reject(error)));
      sent.end(body);
    } catch (error) {
      end(() => reject(error));
    }
  });
}

/** Reads the answer up to a bound and keeps nothing of it; then, or when it is over, `done`. */
function dropped(answer: IncomingMessage, done: () => void): void {
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerBytesMax) done();
  });
  answer.on("end", done);
  // Its status has come: what follows decides nothing.
  answer.on("error", done);
  answer.on("close", done);
}

function sentOf({ statusCode = 0, headers }: IncomingMessage): Sent {
  const retryAfter = headers["retry-after"];
  return { status: statusCode, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

function isTimeout(ending: AbortSignal): boolean {
  return (ending.reason as Error).name === "TimeoutError";
}

/** A driver's own message may name hosts and addresses. */
function wordsOf(failure: unknown, ending: AbortSignal): string {
  if (failure instanceof Refused) return failure.message;
  if (ending.aborted) return isTimeout(ending) ? "no answer in time" : "interrupted";
  const { code = "", message = "" } = failure as { code?: unknown; message?: string };
  const known = `${code} ${message}`;
  if (/ENOTFOUND|EAI_AGAIN|ENODATA|getaddrinfo|failed to lookup/i.test(known)) return "the name cannot be resolved";
  if (/CERT|SSL|TLS|ALTNAME|SELF_SIGNED|UNABLE_TO|handshake/i.test(known)) return "no trusted TLS connection";
  if (/REFUSED|Unable to connect/i.test(known)) return "the connection was refused";
  return "the connection failed";
}
