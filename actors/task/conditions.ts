/** Request headers that carry a condition (RFC 9110 §13) or a position in the log. */
import type { Position } from "../model/position.ts";
import { Problem } from "../model/problem.ts";

/** One member of a list of tags, with what parts it from the next; a member may be empty (RFC 9110 §5.6.1). */
const member = /[ \t]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*)?(,|$)/y;

/** The versions that an If-Match accepts; `*` for any existing one; undefined without the header. Weak tags never match. Throws `malformed-header`. */
export function parseIfMatch(header: string | null): readonly number[] | "*" | undefined {
  if (header === null) return undefined;
  if (header === "*") return "*";
  const versions = versionsOf(header);
  if (versions === undefined)
    throw new Problem("malformed-header", 'If-Match must be * or a list of quoted tags such as "3".');
  return versions;
}

/** Whether an If-None-Match names this version (then the client has it). A malformed one names nothing. */
export function hasVersion(header: string | null, version: number): boolean {
  if (header === null) return false;
  return header === etag(version) || header === "*" || (versionsOf(header)?.includes(version) ?? false);
}

/** The same of a list, whose tag is a text in quotes. */
export function hasTag(header: string | null, tag: string): boolean {
  if (header === null) return false;
  return header === tag || header === "*" || (strongTagsOf(header)?.some((each) => `"${each}"` === tag) ?? false);
}

/** The versions that a list of tags can mean: tags that are none of ours mean none. Undefined when it is no list of tags. */
function versionsOf(list: string): number[] | undefined {
  return strongTagsOf(list)
    ?.filter((each) => /^[1-9]\d{0,14}$/.test(each))
    .map(Number);
}

/** What is in the quotes of each tag that is not weak. Undefined when it is no list of tags. */
function strongTagsOf(list: string): string[] | undefined {
  const strong: string[] = [];
  let tags = 0;
  for (member.lastIndex = 0; ; ) {
    const [, weak, value, end] = member.exec(list) ?? [];
    if (end === undefined) return undefined;
    if (value !== undefined) tags += 1;
    if (value !== undefined && weak === undefined) strong.push(value);
    if (end === "") return tags === 0 ? undefined : strong;
  }
}

/** `PUT` makes a task only under `If-None-Match: *`; any other use of the header there is refused. */
export function createsOnly(headers: Headers): boolean {
  const header = headers.get("if-none-match");
  if (header === null) return false;
  if (header !== "*") throw new Problem("malformed-header", "If-None-Match must be * here.");
  if (headers.has("if-match"))
    throw new Problem("malformed-header", "If-Match and If-None-Match contradict each other.");
  return true;
}

export function etag(version: number): string {
  return `"${version}"`;
}

/** A position as clients carry it; they must not look inside. */
export function consistencyToken({ partition, offset }: Position): string {
  return `${partition}-${offset}`;
}

const tokenForm = /^[0-9]{1,5}-[0-9]{1,15}$/;

/** Throws `malformed-header`. */
export function parseConsistencyToken(header: string | null): Position | undefined {
  if (header === null) return undefined;
  const [partition, offset] = tokenForm.test(header) ? header.split("-") : [];
  if (partition === undefined || offset === undefined)
    throw new Problem("malformed-header", "Consistency-Token must be one that this server gave.");
  return { partition: Number(partition), offset: Number(offset) };
}

/** What a write and a read understand of their headers, as parts of their routes. */
export const ofWrites = {
  headers: ["Idempotency-Key", "If-Match"],
  checkHeaders: (headers: Headers) => void parseIfMatch(headers.get("if-match")),
} as const;
/** Of a write that is about no version: a condition means nothing there, and still has its form. */
export const ofUnconditionalWrites = { headers: ["Idempotency-Key"], checkHeaders: ofWrites.checkHeaders } as const;
export const ofReads = {
  headers: ["Consistency-Token"],
  checkHeaders: (headers: Headers) => void parseConsistencyToken(headers.get("consistency-token")),
} as const;
