/** Commands of spaces, made of what a request asks. */
import { createHash } from "node:crypto";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { toInstant } from "../model/instant.ts";
import type { Command, Intent } from "../resources/command.ts";
import { isPersonal } from "../resources/head.ts";
import { registry } from "../resources/registry.ts";

/** Who asks for it, and how the same request is known when it comes again. */
export type Asking = {
  readonly userId: string;
  readonly key: string | null;
  /** Method and canonical path. */
  readonly target: string;
  /** The body's JSON value as it was sent; with the target it is what the fingerprint is made of. */
  readonly asked: unknown;
  readonly traceparent: string | undefined;
};

/** The operation's id, and the ids of what it makes: the same for the same key, so that a repeat makes nothing new. */
export type OperationIds = { readonly spaceId: string; readonly operationId: string; newId(place: number): string };

export function operationIds({ userId, key }: Pick<Asking, "userId" | "key">, spaceId: string): OperationIds {
  const operationId = key === null ? uuidv7() : uuidv5(`${spaceId} ${key}`, userId);
  return {
    spaceId,
    operationId,
    // The first has the operation's own id.
    newId: (place) => (place === 0 ? operationId : key === null ? uuidv7() : uuidv5(String(place), operationId)),
  };
}

/** The id of a space that is to be made. User ids are of version 7: this one is of version 5, hence nobody's. */
export function newSpaceId({ userId, key }: Pick<Asking, "userId" | "key">): string {
  return uuidv5(key === null ? `space ${uuidv7()}` : `space key ${key}`, userId);
}

type Parts = { readonly asking: Asking; readonly ids: OperationIds; readonly nowMs: number };

export function changeCommand(
  { asking, ids, nowMs }: Parts,
  intents: readonly Intent[],
  { isImport = false, isBatch = false } = {},
): Command {
  const marks = { ...(isImport ? { isImport } : {}), ...(isBatch ? { isBatch } : {}) };
  return { ...commonOf(asking, ids, nowMs), kind: "change", intents, ...marks };
}

export function undoCommand({ asking, ids, nowMs }: Parts, undoes: string): Command {
  return { ...commonOf(asking, ids, nowMs), kind: "undo", undoes };
}

function commonOf(asking: Asking, ids: OperationIds, nowMs: number) {
  const { userId, key, traceparent } = asking;
  return {
    operationId: ids.operationId,
    keyed: key !== null,
    spaceId: ids.spaceId,
    userId,
    fingerprint: fingerprintOf(asking),
    at: toInstant(nowMs),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/**
 * Whether nothing in the command can be refused: a task made in one's personal space, under an id of our own, which refers to nothing; it has no key that could
 * have been used before.
 */
export function isCertain(command: Command): boolean {
  if (command.kind !== "change" || command.keyed || !isPersonal(command.spaceId, command.userId)) return false;
  const [intent, second] = command.intents;
  if (intent?.kind !== "create" || intent.type !== "task" || second !== undefined) return false;
  return intent.id === command.operationId && intent.body.position === undefined && !refers(intent);
}

function refers({ type, body }: Intent): boolean {
  return Object.entries(registry.get(type)?.fields ?? {}).some(([name, { form }]) => {
    const value = body[name];
    if (form.kind === "members") return Array.isArray(value) && value.length > 0;
    return (form.kind === "reference" || name === "columnId") && typeof value === "string";
  });
}

/** The same request, where it has a key, has the same one. */
export function fingerprintOf({ key, target, asked }: Pick<Asking, "key" | "target" | "asked">): string {
  return key === null ? "" : fingerprint(target, asked);
}

/** Method, path and JSON value: the order of an object's members does not matter. */
function fingerprint(target: string, body: unknown): string {
  return createHash("sha256").update(target).update("\0").update(canonical(body)).digest("base64url");
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
