/** A request's body, read under the contract's conventions: media type, then size, then form. */
import { Problem } from "../model/problem.ts";
import { decodeUtf8, parseJson } from "./json.ts";
import { cutAsSlow } from "./listener-counts.ts";
import { parseUrlencoded, pointer } from "./urlencoded.ts";
import { isWhole } from "./whole.ts";

export const bodyBytesMax = 256 * 1024;
export const form = "application/x-www-form-urlencoded";

export type BodyOptions = {
  readonly isOptional?: boolean | undefined;
  readonly bytesMax?: number | undefined;
  /** Many bodies may be complete in one turn of the event loop: this spreads the reading of them. */
  readonly ready?: (() => Promise<void> | undefined) | undefined;
};

/** Throws `unsupported-media-type`, `body-too-large`, `malformed-json`, or `validation` (a form's faults). */
export async function readBody(
  request: Request,
  types: readonly string[],
  { isOptional = false, bytesMax = bodyBytesMax, ready }: BodyOptions = {},
): Promise<unknown> {
  const { headers } = request;
  const header = headers.get("content-type");
  const given = Number(headers.get("content-length") ?? 0) > 0 || headers.has("transfer-encoding");
  if (isOptional && header === null && !given) return {};
  const type = header === null ? undefined : mediaType(header);
  // A request with neither a type nor a body has an empty body, which is no JSON.
  const taken = type === undefined ? header === null && !given : types.includes(type);
  if (!taken || (headers.get("content-encoding") ?? "identity").toLowerCase() !== "identity") {
    throw new Problem("unsupported-media-type", `This route takes ${types.join(" or ")}.`);
  }
  const bytes = await readBytes(request, { bytesMax });
  if (bytes === undefined) throw new Problem("body-too-large");
  await ready?.();
  const text = decodeUtf8(bytes);
  return type === form ? parseForm(text) : parseJson(text);
}

/** From the headers to the last byte of the body; a client that sends byte by byte is not waited for longer. */
const bodyTimeoutMs = 30_000;

/** A body's bytes, undefined when they are more than a body may have. Throws `malformed-json` when they are not whole in time, or their framing is wrong. */
export async function readBytes(
  request: Request,
  { timeoutMs = bodyTimeoutMs, bytesMax = bodyBytesMax } = {},
): Promise<ArrayBuffer | Uint8Array | undefined> {
  const declared = Number(request.headers.get("content-length") ?? Number.NaN);
  if (declared > bytesMax) return undefined;
  let late: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Late()), timeoutMs);
  });
  let bytes: ArrayBuffer | Uint8Array | undefined;
  try {
    bytes = await Promise.race([
      Number.isNaN(declared) ? readBounded(request, bytesMax) : request.arrayBuffer(),
      deadline,
    ]);
  } catch (cause) {
    if (!(cause instanceof Late)) throw new Problem("malformed-json", "The body was cut off.", { cause });
    cutAsSlow.add();
    throw new Problem("malformed-json", `The body was not complete within ${timeoutMs / 1_000} s.`, {
      headers: { connection: "close" },
    });
  } finally {
    clearTimeout(late);
  }
  if (bytes !== undefined && !(await isWhole(request))) throw new Problem("malformed-json", "The body was cut off.");
  return bytes;
}

class Late extends Error {}

/** The type without its parameters; undefined when it names a charset other than UTF-8. */
function mediaType(header: string): string | undefined {
  if (header === "application/json") return header;
  const [type = "", ...parameters] = header.split(";").map((part) => part.trim().toLowerCase());
  const charsets = parameters.filter((parameter) => parameter.startsWith("charset="));
  return charsets.every((charset) => /^charset=("?)utf-8\1$/.test(charset)) ? type : undefined;
}

/** The bytes of a body of unknown length, given up as soon as they are too many. */
async function readBounded(request: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseForm(text: string): Record<string, string> {
  const { fields, faults } = parseUrlencoded(text);
  const value: Record<string, string> = {};
  for (const [name, each] of fields) {
    if (Object.hasOwn(value, name)) faults.push({ path: pointer(name), message: "must be given once" });
    else Object.defineProperty(value, name, { value: each, enumerable: true });
  }
  if (faults.length > 0) throw new Problem("validation", undefined, { errors: faults });
  return value;
}
