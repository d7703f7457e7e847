/** A command of a space as a record of the log: written by the edge, read by the writer, which trusts nothing in it. */
import { Type } from "@sinclair/typebox";
import { partitionOf } from "../../runtime/partition.ts";
import { checker } from "../http/validate.ts";
import { type Command, intentKinds } from "../resources/command.ts";
import type { NewRecord } from "./appender.ts";

/** All commands of a space are in one partition, in their order. */
export function commandRecordOf(command: Command, partitions: number): NewRecord {
  const { spaceId } = command;
  return { partition: partitionOf(spaceId, partitions), key: spaceId, value: JSON.stringify(command) };
}

const Id = Type.String({ format: "uuid" });
const strict = { additionalProperties: false };
/** More than a batch has. */
const intentsMax = 10_000;

const Intent = Type.Object(
  {
    type: Type.String({ minLength: 1 }),
    id: Id,
    kind: Type.Union(intentKinds.map((kind) => Type.Literal(kind))),
    expected: Type.Optional(Type.Union([Type.Array(Type.Integer({ minimum: 1 })), Type.Literal("*")])),
    onTaken: Type.Optional(Type.Union([Type.Literal("version-mismatch"), Type.Literal("conflict")])),
    body: Type.Record(Type.String(), Type.Unknown()),
  },
  strict,
);
const common = {
  operationId: Id,
  keyed: Type.Boolean(),
  spaceId: Id,
  userId: Id,
  fingerprint: Type.String({ maxLength: 64 }),
  at: Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$" }),
  traceparent: Type.Optional(Type.String({ maxLength: 512 })),
};
// What is not known here may change what it means: a newer program puts it back once it is.
const faultsOf: Readonly<Record<Command["kind"], ReturnType<typeof checker>>> = {
  change: checker(
    Type.Object(
      {
        ...common,
        kind: Type.Literal("change"),
        intents: Type.Array(Intent, { minItems: 1, maxItems: intentsMax }),
        isImport: Type.Optional(Type.Literal(true)),
        isBatch: Type.Optional(Type.Literal(true)),
      },
      strict,
    ),
  ),
  undo: checker(Type.Object({ ...common, kind: Type.Literal("undo"), undoes: Id }, strict)),
  leave: checker(Type.Object({ ...common, kind: Type.Literal("leave") }, strict)),
};

/** The command of a record, or why it is none, in a few words without anything of its content but names of fields. */
export function readCommandOf(value: Buffer | null, at: { partition: number; partitions: number }): Command | string {
  const command = commandIn(value);
  if (typeof command === "string" || partitionOf(command.spaceId, at.partitions) === at.partition) return command;
  return "on another partition than its space's";
}

/** `readCommandOf` wherever the record is. */
export function commandIn(value: Buffer | null): Command | string {
  if (value === null) return "empty";
  let command: { kind?: unknown } | null;
  try {
    command = JSON.parse(value.toString()) as { kind?: unknown } | null;
  } catch {
    return "not JSON";
  }
  const kind = command?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(faultsOf, kind)) return "/kind is not known";
  const [fault] = faultsOf[kind as Command["kind"]](command);
  return fault === undefined ? (command as unknown as Command) : `${fault.path} ${fault.message}`.slice(0, 200);
}
