/** What requests and answers hold for each form of a field: its schema, the faults that a schema cannot tell, and the one form in which values are kept. */
import { Kind, type TSchema, TypeRegistry, Type as t } from "@sinclair/typebox";
import { instantMs, toInstant } from "../model/instant.ts";
import type { Fault } from "../model/problem.ts";
import { type Due, dueFaults, keptDue } from "../resources/due.ts";
import type { Field, Form, Json } from "../resources/field.ts";
import { columnFaults, columnsSchema, keptColumns } from "./resource-columns.ts";
import { orNull, type TextsBounds, text, texts, textsFaults } from "./text.ts";
import { pointer } from "./urlencoded.ts";
import { uuidPattern } from "./validate.ts";

/** A whole value as a client gives it, what a merge patch may hold, or what an answer has. */
export type FieldUse = "whole" | "patch" | "served";

/** A schema for readers alone: `compoundFaults` checks the value, and names each part that is wrong. */
const compound = (schema: object): TSchema => ({ [Kind]: "Compound", ...schema }) as unknown as TSchema;
TypeRegistry.Set("Compound", () => true);

const colorPattern = /^#[0-9a-fA-F]{6}$/;
const uuid = t.String({ format: "uuid" });
const dueSchema = {
  $id: "Due",
  type: "object",
  description: "A whole day; with `time` a local time wherever it is read; with `timeZone` too, one instant",
  properties: {
    date: { type: "string", format: "date", description: "A day of the calendar" },
    time: {
      type: "string",
      pattern: "^([01]\\d|2[0-3]):([0-5]\\d)(:([0-5]\\d)(\\.\\d{3})?)?$",
      description: "HH:MM[:SS[.mmm]], kept in its shortest form",
    },
    timeZone: {
      type: "string",
      maxLength: 64,
      pattern: "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$",
      description: "A name of the IANA time zone database; only with `time`",
    },
  },
  required: ["date"],
  dependentRequired: { timeZone: ["time"] },
  additionalProperties: false,
};
/** A merge patch reaches into it: what is not named stays, and `null` takes a member away. */
const duePatchSchema = {
  ...dueSchema,
  $id: "DuePatch",
  description: "A part of a `due`: members that are not named stay, `null` takes one away",
  properties: {
    date: dueSchema.properties.date,
    time: { ...dueSchema.properties.time, type: ["string", "null"] },
    timeZone: { ...dueSchema.properties.timeZone, type: ["string", "null"] },
  },
  required: [],
  dependentRequired: {},
};

export function fieldSchema({ form, nullable, byDefault }: Field, use: FieldUse): TSchema {
  const schema = formSchema(form, use);
  const takesNull = nullable === true || (use === "patch" && byDefault !== undefined);
  const given = takesNull ? withNull(schema) : schema;
  if (byDefault === undefined || use === "served") return given;
  if (use === "whole") return { ...given, default: byDefault };
  const ofNull = `\`null\` sets the default: \`${JSON.stringify(byDefault)}\``;
  return { ...given, note: ofNull };
}

function formSchema(form: Form, use: FieldUse): TSchema {
  switch (form.kind) {
    case "text":
      if (form.isId === true) return t.String({ format: "uuid" });
      return text({ maxLength: form.max, ...(form.min > 0 ? { minLength: form.min } : {}), ...blank(form.blank) });
    case "choice":
      return t.Union(form.values.map((value) => t.Literal(value)));
    case "integer":
      return t.Integer({ minimum: form.min, maximum: form.max });
    case "flag":
      return t.Boolean();
    case "instant":
      return t.String({ format: "date-time", description: "RFC 3339, answered as UTC with milliseconds" });
    case "color":
      return {
        ...text({ maxLength: 7, fault: (value) => (colorPattern.test(value) ? undefined : "must be #rrggbb") }),
        pattern: colorPattern.source,
        description: "#rrggbb, kept in lower case",
      };
    case "reference":
      return { ...uuid, description: `The id of a ${form.to} of the space` };
    case "texts":
    case "members": {
      const { items, maxItems } = setBounds(form);
      return use === "patch" ? setPatchSchema(items, maxItems) : texts(items, { maxItems });
    }
    case "due":
      return compound(use === "patch" ? duePatchSchema : dueSchema);
    case "columns":
      return compound(columnsSchema(form.max, use === "served"));
    case "url":
      return { ...text({ maxLength: form.max, format: "uri", fault: urlFault }), description: "http or https" };
    case "hash":
      throw new Error("Cannot make a schema of a hash: it is in no request and no answer");
  }
}

const blank = (isTaken: boolean) => (isTaken ? {} : { blank: false });

function withNull(schema: TSchema): TSchema {
  const kind = schema[Kind];
  if (kind === "Compound" && schema.anyOf !== undefined)
    return { ...schema, anyOf: [...(schema.anyOf as TSchema[]), { type: "null" }] };
  if (kind === "Text" || kind === "Texts" || kind === "Compound") return orNull(schema);
  const { description } = schema;
  return t.Union([...((schema.anyOf as TSchema[] | undefined) ?? [schema]), t.Null()], {
    ...(description === undefined ? {} : { description }),
  });
}

type SetForm = Extract<Form, { kind: "texts" | "members" }>;

function setBounds(form: SetForm): TextsBounds {
  if (form.kind === "members")
    return {
      maxItems: form.max,
      items: {
        maxLength: 36,
        format: "uuid",
        fault: (value) => (uuidPattern.test(value) ? undefined : "must be a lower-case UUID"),
      },
    };
  const { max, textMax, values } = form;
  // Unicode's form C of some texts is longer than the texts themselves.
  const fault = (value: string) => {
    if (values !== undefined)
      return values.includes(value) ? undefined : `must be ${values.map((each) => `"${each}"`).join(" or ")}`;
    return [...value.normalize("NFC")].length > textMax
      ? `must have at most ${textMax} characters in Unicode's form C`
      : undefined;
  };
  return { maxItems: max, items: { minLength: 1, maxLength: textMax, blank: false, fault } };
}

function urlFault(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // A parser takes white space and line breaks away: what is kept is what was looked at.
  if (url === undefined || /[\s\p{C}]/u.test(value) || !/^https?:\/\//i.test(value))
    return "must be an absolute http or https URL";
  if (url.username !== "" || url.password !== "") return "must not hold a user or a password";
  return url.hash === "" && !value.includes("#") ? undefined : "must not have a fragment";
}

function setPatchSchema(items: TextsBounds["items"], maxItems: number): TSchema {
  const list = texts(items, { maxItems });
  return compound({
    anyOf: [list, { type: "object", properties: { add: list, remove: list }, additionalProperties: false }],
    description: "The whole list, or what is added to it and removed from it",
  });
}

/** Faults that the schema does not find; paths are JSON pointers from the value on. */
export function compoundFaults({ form, nullable, byDefault }: Field, value: unknown, use: FieldUse): readonly Fault[] {
  const isPatch = use === "patch";
  if (value === null && (nullable === true || (isPatch && byDefault !== undefined))) return [];
  switch (form.kind) {
    case "due":
      return (isPatch ? duePatchFaults(value as Json) : dueFaults(value as Json)).map(({ path, message }) => ({
        path: path.toWellFormed(),
        message,
      }));
    case "columns":
      return columnFaults(value, form.max);
    case "texts":
    case "members":
      return isPatch ? setPatchFaults(setBounds(form), value) : [];
    default:
      return [];
  }
}

function setPatchFaults(bounds: TextsBounds, value: unknown): Fault[] {
  if (!isObject(value)) {
    if (Array.isArray(value)) return textsFaults(value, bounds);
    return [{ path: "", message: "must be an array, an object of add and remove, or null" }];
  }
  return Object.entries(value).flatMap(([name, each]) =>
    name === "add" || name === "remove"
      ? textsFaults(each, bounds).map(({ path, message }) => ({ path: `/${name}${path}`, message }))
      : [{ path: pointer(name), message: "is not a known field" }],
  );
}

/** What a patch leaves out is there already, or is missed when the writer puts both together. */
function duePatchFaults(value: Json): readonly Fault[] {
  if (!isObject(value)) return dueFaults(value);
  const { date, time, timeZone } = value;
  if (time === null && typeof timeZone === "string") return dueFaults({ date: "2000-01-01", ...value, time: null });
  // `null` takes away a member that there is, and is a fault of any other.
  const rest = Object.fromEntries(
    Object.entries(value).filter(([name, each]) => each !== null || !(name in dueSchema.properties)),
  );
  const faults = dueFaults({ date: "2000-01-01", ...(typeof timeZone === "string" ? { time: "00:00" } : {}), ...rest });
  return date === null ? [...faults, { path: "/date", message: "is required" }] : faults;
}

/** A value without fault in the form in which it is kept; that of a kept value is itself. */
export function keptValue({ form }: Field, value: Json, newId: () => string): Json {
  if (value === null) return null;
  switch (form.kind) {
    case "instant":
      return keptInstant(value as string);
    case "color":
      return (value as string).toLowerCase();
    case "due":
      return keptDuePatch(value as Readonly<Record<string, Json>>);
    case "columns":
      return keptColumns(value as readonly Json[], newId);
    case "texts":
      return keptSet(value, (item) => item.normalize("NFC"));
    case "members":
      return keptSet(value, (item) => item);
    default:
      return value;
  }
}

export function keptInstant(value: string): string {
  const ms = instantMs(value);
  if (ms === undefined) throw new Error("Cannot keep what is no instant");
  return toInstant(ms);
}

function keptSet(value: Json, kept: (item: string) => string): Json {
  const list = (items: Json) => [...new Set((items as readonly string[]).map(kept))];
  if (!isObject(value)) return list(value);
  return Object.fromEntries(
    ["add", "remove"].flatMap((name) => (value[name] === undefined ? [] : [[name, list(value[name])]])),
  );
}

/** Of a whole `due` as of a part of one, in which `null` takes a member away. */
function keptDuePatch(value: Readonly<Record<string, Json>>): Json {
  const time = typeof value.time === "string" ? keptDue({ date: "", time: value.time } as Due).time : value.time;
  const members = { date: value.date, time, timeZone: value.timeZone };
  return Object.fromEntries(Object.entries(members).filter(([, each]) => each !== undefined)) as Record<string, Json>;
}

export function isObject(value: unknown): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
