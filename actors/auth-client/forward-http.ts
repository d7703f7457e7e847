/** Hands auth's paths to an auth role in another process, as a reverse proxy does: the same request there, its answer back. */
import { bodyBytesMax, readBytes } from "../http/body.ts";
import { type Client, forwardingHeaders } from "../http/client.ts";
import { methodOf, targetOf } from "../http/target.ts";
import { Problem } from "../model/problem.ts";
import { answerOf, type WholeAnswer } from "./answer-of.ts";

export type ForwardOptions = {
  /** Auth is told of this one, whatever the request says of itself. */
  readonly client: Client;
  readonly timeoutMs?: number;
};

const forwardMs = 10_000;
const answerBytesMax = 16 * 1024 * 1024;
const underWayMax = 256;
let underWay = 0;

/** RFC 9110, section 7.6.1: they speak of one connection only, as do those that `Connection` names. */
const hopByHop = [
  ...["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"],
  ...["te", "trailer", "transfer-encoding", "upgrade"],
];
/** Said anew by our own client. */
const ofOurs = ["host", "content-length", "expect", "accept-encoding"];
/** Which origins may read the answer is for the one to say who gives it them. */
const ofOrigins = ["access-control-allow-origin", "access-control-expose-headers"];
/** Of a body in another form than the one that we pass on; HEAD is told the length of the one that it does not get. */
const ofTheirs = (method: string) => [
  ...ofOrigins,
  "content-encoding",
  ...(method === "HEAD" ? [] : ["content-length"]),
];

/** `authUrl` is auth's base without a slash at the end. Throws (after 10 s unless told) `users-unavailable`, `overloaded`, and `malformed-json` for a body that was cut off. */
export async function forwardOverHttp(authUrl: string, request: Request, options: ForwardOptions): Promise<Response> {
  const { client, timeoutMs = forwardMs } = options;
  if (underWay >= underWayMax) throw new Problem("overloaded");
  underWay += 1;
  try {
    const method = methodOf(request);
    const bytes = request.body === null ? undefined : await bodyOf(request);
    const asked = { method, headers: requestHeaders(request, client), ...(bytes === undefined ? {} : { body: bytes }) };
    let answer: WholeAnswer;
    try {
      const bounds = { timeoutMs, bytesMax: answerBytesMax };
      answer = await answerOf(authUrl + targetOf(request.url), asked, bounds);
    } catch (cause) {
      throw new Problem("users-unavailable", undefined, { cause });
    }
    return new Response(answer.bytes.byteLength === 0 ? null : answer.bytes, {
      status: answer.status,
      headers: without(answer.headers, ofTheirs(method)),
    });
  } finally {
    underWay -= 1;
  }
}

/** A body that is too large is refused by auth's own edge, in its turn: any other of that size will do. */
async function bodyOf(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readBytes(request);
  return bytes === undefined ? new Uint8Array(bodyBytesMax + 1) : new Uint8Array(bytes);
}

function requestHeaders(request: Request, client: Client): Headers {
  const headers = without(request.headers, ofOurs);
  headers.set("accept-encoding", "identity");
  // Our own client would name itself where the caller named nobody.
  if (!headers.has("user-agent")) headers.set("user-agent", "");
  for (const [name, value] of Object.entries(forwardingHeaders(request.headers, client)))
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  return headers;
}

function without(headers: Headers, more: readonly string[]): Headers {
  const kept = new Headers(headers);
  const named = (headers.get("connection") ?? "").split(",").map((name) => name.trim().toLowerCase());
  for (const name of [...hopByHop, ...more, ...named]) if (/^[a-z0-9-]+$/.test(name)) kept.delete(name);
  return kept;
}
