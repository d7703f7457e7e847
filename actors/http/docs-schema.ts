/** Schemas as people read them: types with links to models, and a table for each model. */

export type PageSchema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly PageSchema[];
  readonly items?: PageSchema;
  readonly properties?: Readonly<Record<string, PageSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: PageSchema | boolean;
  readonly default?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
};

/** As an HTML text: links to models, values and bounds. */
export function typeHtml(schema: PageSchema): string {
  const { $ref, type, format, anyOf, items, additionalProperties } = schema;
  if ($ref !== undefined) return linkTo($ref.split("/").at(-1) ?? "");
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((each) => code(JSON.stringify(each))).join(" or ");
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeHtml))].join(" or ");
  if (Array.isArray(type)) return type.map((each) => typeHtml({ ...schema, type: each })).join(" or ");
  if (type === "array") return `list${bounds(schema.minItems, schema.maxItems)} of ${typeHtml(items ?? {})}`;
  if (type === "object" && typeof additionalProperties === "object")
    return `object of ${typeHtml(additionalProperties)} by name`;
  if (type === "string") return `${escape(format ?? "text")}${bounds(schema.minLength, schema.maxLength)}`;
  if (type === "integer" || type === "number")
    return `${escape(String(type))}${bounds(schema.minimum, schema.maximum)}`;
  return typeof type === "string" ? escape(type) : "anything";
}

function bounds(from: number | undefined, to: number | undefined): string {
  if (from === undefined && to === undefined) return "";
  if (to === undefined) return ` (at least ${from})`;
  return from === undefined ? ` (at most ${to})` : ` (${from} to ${to})`;
}

/** One model under its name. */
export function modelHtml(name: string, schema: PageSchema): string {
  const { properties, required = [], description } = schema;
  const rows = Object.entries(properties ?? {}).map(([field, each]) => {
    const byDefault = each.default === undefined ? "" : ` Default: ${code(JSON.stringify(each.default))}.`;
    return `<tr><td><code>${escape(field)}</code>${required.includes(field) ? " *" : ""}</td><td>${typeHtml(each)}</td><td>${prose(each.description ?? "")}${byDefault}</td></tr>`;
  });
  const head = "<tr><th>Field (* always)</th><th>Type</th><th>Meaning</th></tr>";
  const inner =
    rows.length === 0 ? `<p>${typeHtml(schema)}</p>` : `<div class="wide"><table>${head}${rows.join("")}</table></div>`;
  return `<details id="${escape(name)}"><summary><code>${escape(name)}</code></summary><p>${prose(description ?? "")} ${linkTo(name, "#")}</p>${inner}</details>`;
}

export function linkTo(anchor: string, text = anchor): string {
  return `<a href="#${escape(anchor)}">${escape(text)}</a>`;
}

/** Markdown's code and strong emphasis; everything else is text. */
export function prose(text: string): string {
  return escape(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>");
}

function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

export function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
