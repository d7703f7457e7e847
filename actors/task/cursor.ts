/** Where a page ended, as an opaque text for the client to bring back, bound to what it was a page of. */
import { createHash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { Problem } from "../model/problem.ts";

/** A folded title may have thousands of characters: beyond this a cursor is deflated, so that it fits in a URL. */
const plainBytesMax = 300;
const inflatedBytesMax = 65_536;
const form = /^(z?)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})$/;

/** The end of a page of what `boundTo` (a JSON value) tells: another user, filter or sort refuses it. */
export function sealCursor(end: readonly unknown[], boundTo: unknown): string {
  const payload = Buffer.from(JSON.stringify(end));
  const [mark, bytes] = payload.byteLength > plainBytesMax ? ["z", deflateRawSync(payload)] : ["", payload];
  return `${mark}.${bytes.toString("base64url")}.${seal(mark, bytes, boundTo)}`;
}

/** Throws `invalid-cursor`. Whether the values are of the right kind is for the caller to check. */
export function unsealCursor(cursor: string, boundTo: unknown): unknown[] {
  const [, mark = "", encoded = "", given] = form.exec(cursor) ?? [];
  const bytes = Buffer.from(encoded, "base64url");
  if (given === undefined || bytes.toString("base64url") !== encoded || seal(mark, bytes, boundTo) !== given)
    throw new Problem("invalid-cursor");
  try {
    const payload = mark === "z" ? inflateRawSync(bytes, { maxOutputLength: inflatedBytesMax }) : bytes;
    const end: unknown = JSON.parse(payload.toString());
    if (Array.isArray(end)) return end;
  } catch {
    // Sealed by somebody else's hand: refused as any other.
  }
  throw new Problem("invalid-cursor");
}

function seal(mark: string, bytes: Uint8Array, boundTo: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(boundTo))
    .update(`\0${mark}\0`)
    .update(bytes)
    .digest("base64url")
    .slice(0, 22);
}
