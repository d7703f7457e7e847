/** What the topic of facts carries: what became of each position, and how far the read model is. Written by a writer, read by writers and by all who wait for it. */
import { Type } from "@sinclair/typebox";
import { checker } from "../http/validate.ts";
import type { Projected, Told } from "../resources/verdict.ts";

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
  isSpacing: Type.Optional(Type.Literal(true)),
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
  parked: checker(Type.Object({ position: Position, kind: Type.Literal("parked"), reason: Type.String() })),
  projected: checker(Type.Object({ position: Position, kind: Type.Literal("projected") })),
};

/**
 * Documents that make it too large are left out: a writer that adopts the fact makes them again, and who else needs them finds them in the read model.
 */
export function factsText(record: Told | Projected): string {
  const whole = JSON.stringify(record);
  if (fits(whole)) return whole;
  const bare = record.kind === "decided" ? JSON.stringify({ ...record, documents: [] }) : whole;
  if (fits(bare)) return bare;
  throw new Error(`Cannot tell the verdict of position ${record.position}: it has more than ${verdictBytesMax} bytes`);
}

/** What a record says, or why it says nothing, in a few words without anything of its content but names of fields. */
export function readFacts(value: Buffer | string | null): Told | Projected | string {
  if (value === null) return "empty";
  if (value.length > verdictBytesMax) return "too large";
  let record: { kind?: unknown } | null;
  try {
    record = JSON.parse(value.toString()) as { kind?: unknown } | null;
  } catch {
    return "not JSON";
  }
  const kind = record?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(faultsOf, kind)) return "/kind is not known";
  const [fault] = faultsOf[kind as keyof typeof faultsOf](record);
  if (fault !== undefined) return `${fault.path} ${fault.message}`.slice(0, 200);
  const known = record as unknown as Told | Projected;
  if (known.kind !== "decided") return known;
  // What is repeated may be of any earlier position; what is decided is of this one.
  const { fact, position, spaceId, operationId } = known;
  if (fact.position !== position || fact.spaceId !== spaceId || fact.operationId !== operationId)
    return "/fact is of another position, space or operation";
  return known;
}

function fits(text: string): boolean {
  return text.length * 3 <= verdictBytesMax || Buffer.byteLength(text) <= verdictBytesMax;
}
