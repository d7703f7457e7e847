/** What both rebuilds share: how documents and heads of spaces follow from facts, wherever these are kept. */
import { type Document, type Head, later } from "../../resources/document.ts";
import { applied, type Fact } from "../../resources/fact.ts";
import { headAfter, isPersonal, personalDocument, personalHead, unmadeHead } from "../../resources/head.ts";
import type { Registry } from "../../resources/registry.ts";

/** The rebuild is refused and nothing was changed; the message is one clear line. */
export class RebuildError extends Error {
  override readonly name = "RebuildError";
}

/** How a rebuild tells how far it is, and is told to stop. */
export type RebuildControl = {
  readonly progress: { update(done: number, total: number): void; stage(what: string): void };
  /** Looked at between batches; once aborted, its reason is thrown. */
  readonly signal: AbortSignal;
};

/** A space as its facts up to here have made it. */
export type SpaceBefore = {
  /** Undefined before the first fact that changed something. */
  readonly head: Head | undefined;
  readonly find: (id: string) => Document | undefined;
};

/**
 * The head after the next fact of a space, and the documents that it changed; undefined where nothing has changed anything yet: that makes no head. Throws a
 * `RebuildError` where a fact or a version is missing before it, or the fact says what this program does not know.
 */
export function afterFact(
  registry: Registry,
  fact: Fact,
  { head, find }: SpaceBefore,
): { head: Head; documents: readonly Document[] } | undefined {
  const { spaceId, operationId, seq, actorId, changes } = fact;
  if (head === undefined && seq === undefined) return undefined;
  const before = head ?? (isPersonal(spaceId, actorId) ? personalHead(actorId) : unmadeHead(spaceId));
  if (seq !== undefined && seq !== before.seq + 1)
    throw new RebuildError(`Cannot rebuild: space ${spaceId} has no fact ${before.seq + 1}, and has fact ${seq}`);
  const documents = new Map<string, Document>();
  for (const change of changes) {
    const type = registry.get(change.type);
    if (type === undefined || seq === undefined)
      throw new RebuildError(
        `Cannot rebuild: the fact of operation ${operationId} has a change that this program does not know`,
      );
    const born = isPersonal(spaceId, actorId) ? personalDocument(spaceId, change.id) : undefined;
    const known = documents.get(change.id) ?? find(change.id) ?? born;
    if (change.version !== (known?.version ?? 0) + 1)
      throw new RebuildError(
        `Cannot rebuild: space ${spaceId} has no version ${(known?.version ?? 0) + 1} of ${change.id}, and has version ${change.version}`,
      );
    documents.set(change.id, applied(type, known, change, { ...fact, seq }));
  }
  return { head: headAfter(before, fact), documents: [...documents.values()] };
}

/** A head that is made again, as far on as it was: refusals had moved it, and their records go after a day. */
export function movedOn(head: Head, { position, at }: Pick<Head, "position" | "at">): Head {
  return { ...head, position: Math.max(head.position, position), at: later(head.at, at) };
}
