/** Makes `src/types.ts` from the OpenAPI document of a running server: its models, and its operations with what each takes and answers. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export const typesFile = join(import.meta.dirname, "src", "types.ts");

type Schema = {
  $ref?: string;
  type?: string | string[];
  description?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
};
type Media = Record<string, { schema: Schema }>;
type Parameter = {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description: string;
  schema: Schema;
};
type Operation = {
  operationId: string;
  summary: string;
  security: unknown[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Media };
  responses: Record<string, { content?: Media }>;
};
export type OpenApiDocument = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

/** Answers that are read as they come, and pages for people. */
const isCalled = ({ responses }: Operation): boolean =>
  Object.keys(responses["200"]?.content ?? {}).every((type) => type === "application/json");

/** The text of `types.ts`. */
export function typesOf({ paths, components }: OpenApiDocument): string {
  const models = Object.entries(components.schemas).map(
    ([name, schema]) => `${comment(schema.description, "")}export type ${name} = ${typeOf(schema, "")};\n`,
  );
  const operations = Object.entries(paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    )
    .filter(({ operation }) => isCalled(operation))
    .toSorted((one, other) => (one.operation.operationId < other.operation.operationId ? -1 : 1));
  const types = operations.map(({ operation }) => operationType(operation));
  const table = operations.map(({ path, method, operation }) => {
    const isKeyed = operation.parameters.some(({ name }) => name === "Idempotency-Key");
    const [type = ""] = Object.keys(operation.requestBody?.content ?? {});
    const more = [
      ...(operation.security.length > 0 ? ["signed: true"] : []),
      ...(isKeyed ? ["keyed: true"] : []),
      ...(type === "" ? [] : [`body: "${type}"`]),
    ];
    return `  ${operation.operationId}: { method: "${method}", path: "${path}"${more.map((each) => `, ${each}`).join("")} },\n`;
  });
  return `/** Made by generate.ts from the OpenAPI document: not to be changed by hand. */\n\n${models.join("\n")}
/** What each operation takes, beside the options of every call, and answers. */
export type Operations = {\n${types.join("")}};

/** How each operation is asked. \`signed\`: as a user. \`keyed\`: it takes an Idempotency-Key. */
export const operations = {\n${table.join("")}} as const;\n`;
}

const headerNames: Readonly<Record<string, string>> = {
  "If-Match": "ifMatch",
  "If-None-Match": "ifNoneMatch",
  "Idempotency-Key": "idempotencyKey",
  "Consistency-Token": "consistencyToken",
};

function operationType({ operationId, summary, parameters, requestBody, responses }: Operation): string {
  const members = parameters.flatMap(({ name, in: place, required, description, schema }) => {
    const known = place === "header" ? headerNames[name] : name;
    // Answers without a body, as 304 is, are for caches.
    if (known === undefined || (name === "If-None-Match" && requestBody === undefined)) return [];
    return [`${comment(description, "      ")}      ${known}${required ? "" : "?"}: ${typeOf(schema, "      ")};\n`];
  });
  const body = Object.values(requestBody?.content ?? {})[0]?.schema;
  if (body !== undefined)
    members.push(`      body${requestBody?.required === true ? "" : "?"}: ${typeOf(body, "      ")};\n`);
  const answers = ["200", "201"].flatMap((status) => Object.values(responses[status]?.content ?? {}));
  const names = [...new Set(answers.map(({ schema }) => typeOf(schema, "    ")))];
  const takes = members.length === 0 ? "{}" : `{\n${members.join("")}    }`;
  return `${comment(`${summary}.`, "  ")}  ${operationId}: {\n    takes: ${takes};\n    answers: ${names.join(" | ") || "undefined"};\n  };\n`;
}

function typeOf(schema: Schema, indent: string): string {
  const { $ref, type, anyOf, items, properties, required = [], additionalProperties } = schema;
  if ($ref !== undefined) return $ref.split("/").at(-1) ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(" | ");
  if (anyOf !== undefined) return [...new Set(anyOf.map((each) => typeOf(each, indent)))].join(" | ");
  if (Array.isArray(type)) return type.map((each) => typeOf({ ...schema, type: each }, indent)).join(" | ");
  if (type === "array") {
    const of = typeOf(items ?? {}, indent);
    return /^[\w.]+$/.test(of) ? `${of}[]` : `(${of})[]`;
  }
  if (type === "integer" || type === "number") return "number";
  if (type === "string" || type === "boolean" || type === "null") return type;
  if (type !== "object") return "unknown";
  if (properties === undefined || Object.keys(properties).length === 0) {
    const of = typeof additionalProperties === "object" ? typeOf(additionalProperties, indent) : "unknown";
    return `Record<string, ${of}>`;
  }
  const inner = `${indent}  `;
  const members = Object.entries(properties).map(
    ([name, each]) =>
      `${comment(each.description, inner)}${inner}${/^\w+$/.test(name) ? name : JSON.stringify(name)}${required.includes(name) ? "" : "?"}: ${typeOf(each, inner)};\n`,
  );
  return `{\n${members.join("")}${indent}}`;
}

function comment(text: string | undefined, indent: string): string {
  return text === undefined ? "" : `${indent}/** ${text.replaceAll("*/", "*\\/").replaceAll("\n", " ")} */\n`;
}

if (import.meta.main) {
  const [url = "http://127.0.0.1:3000"] = process.argv.slice(2);
  if (url === "--help") {
    process.stdout.write(
      "Makes the client's types from the document of a running server: npm run client -- [URL], http://127.0.0.1:3000 unless told\n",
    );
    process.exit(0);
  }
  const answer = await fetch(`${url}/v1/openapi.json`);
  if (!answer.ok) throw new Error(`Cannot make the types: ${url} answered ${answer.status}`);
  writeFileSync(typesFile, typesOf((await answer.json()) as OpenApiDocument));
}
