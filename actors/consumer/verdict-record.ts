/** A verdict as a record of the topic of facts: written by a writer, read by writers and by all who wait for it. */
import { Type } from "@sinclair/typebox";
import { checker } from "../http/validate.ts";
import type { Verdict } from "./write-ports.ts";

/** 8 MiB with the key and what Kafka adds. */
export const verdictBytesMax = 8 * 2 ** 20 - 4_096;

const Id = Type.String({ format: "uuid" });
const Position = Type.Integer({ minimum: 0 });
const Version = Type.Integer({ minimum: 1 });

// Fields that a newer writer adds are let through.
const Change = Type.Object({
  type: Type.String({ minLength: 1 }),
  id: Id,
  version: Version,
  kind: Type.Union(
    (["created", "changed", "deleted", "restored", "undone"] as const).map((kind) => Type.Literal(kind)),
  ),
  fields: Type.Record(Type.String(), Type.Object({ from: Type.Unknown(), to: Type.Unknown() })),
  deleted: Type.Optional(Type.Boolean()),
  undoableBefore: Type.Optional(Position),
  createdAt: Type.Optional(Type.String()),
  updatedAt: Type.Optional(Type.String()),
});

const Fact = Type.Object({
  spaceId: Id,
  operationId: Id,
  fingerprint: Type.String(),
  position: Position,
  verdict: Type.Union((["applied", "unchanged", "rejected"] as const).map((verdict) => Type.Literal(verdict))),
  refusal: Type.Optional(Type.Object({ code: Type.String(), change: Position })),
  seq: Type.Optional(Version),
  seenSeq: Type.Optional(Position),
  at: Type.String(),
  actorId: Id,
  keyed: Type.Boolean(),
  changes: Type.Array(Change),
  answers: Type.Array(Id),
});

const Document = Type.Object({
  spaceId: Id,
  id: Id,
  type: Type.String({ minLength: 1 }),
  version: Version,
  seq: Position,
  fields: Type.Record(Type.String(), Type.Unknown()),
  creatorId: Id,
  createdAt: Type.String(),
  updatedAt: Type.String(),
  deletedBy: Type.Optional(Id),
  undoable: Position,
});

const common = { position: Position, operationId: Id, spaceId: Id };
const faultsOf = {
  decided: checker(
    Type.Object({ ...common, kind: Type.Literal("decided"), fact: Fact, documents: Type.Array(Document) }),
  ),
  repeated: checker(Type.Object({ ...common, kind: Type.Literal("repeated"), first: Fact, isSame: Type.Boolean() })),
  expired: checker(Type.Object({ ...common, kind: Type.Literal("expired") })),
};

/**
 * Documents that make it too large are left out: a writer that adopts the fact makes them again, and who else needs them finds them in the read model.
 */
export function verdictText(verdict: Verdict): string {
  const whole = JSON.stringify(verdict);
  if (fits(whole)) return whole;
  const bare = verdict.kind === "decided" ? JSON.stringify({ ...verdict, documents: [] }) : whole;
  if (fits(bare)) return bare;
  throw new Error(`Cannot tell the verdict of position ${verdict.position}: it has more than ${verdictBytesMax} bytes`);
}

/** The verdict of a record, or why it is none, in a few words without anything of its content but names of fields. */
export function readVerdict(value: Buffer | null): Verdict | string {
  if (value === null) return "empty";
  if (value.length > verdictBytesMax) return "too large";
  let verdict: { kind?: unknown } | null;
  try {
    verdict = JSON.parse(value.toString()) as { kind?: unknown } | null;
  } catch {
    return "not JSON";
  }
  const kind = verdict?.kind;
  if (kind !== "decided" && kind !== "repeated" && kind !== "expired") return "/kind is not known";
  const [fault] = faultsOf[kind](verdict);
  if (fault !== undefined) return `${fault.path} ${fault.message}`.slice(0, 200);
  const known = verdict as unknown as Verdict;
  // What is repeated may be of any earlier position; what is decided is of this one.
  const fact = known.kind === "decided" ? known.fact : undefined;
  const { position, spaceId, operationId } = known;
  if (
    fact !== undefined &&
    (fact.position !== position || fact.spaceId !== spaceId || fact.operationId !== operationId)
  )
    return "/fact is of another position, space or operation";
  return known;
}

function fits(text: string): boolean {
  return text.length * 3 <= verdictBytesMax || Buffer.byteLength(text) <= verdictBytesMax;
}
