/** The OpenAPI document as one HTML page: no script, nothing fetched, readable offline and under a strict content policy. */
import { createHash } from "node:crypto";
import type { OpenApi } from "./openapi.ts";

type Operation = {
  summary: string;
  description?: string;
  tags: string[];
  deprecated?: boolean;
  security: unknown[];
  parameters: { name: string; in: string; schema: { description?: string } }[];
  requestBody?: { content: Record<string, { schema: unknown }> };
  responses: Record<string, { description?: string; $ref?: string; content?: Record<string, { schema: unknown }> }>;
};

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid #8886; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } summary code { font-weight: 600; } .method { display: inline-block; min-width: 4.5rem; }
pre { overflow-x: auto; background: #8882; padding: .6rem; border-radius: 6px; font-size: .85rem; }
table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .15rem .8rem .15rem 0; }
`;

/** Stands in the page where its links need the way from the page to the root: nothing that a text of the document can hold, because those are escaped. */
export const root = "<root>";

/** The page's own content policy: its one style sheet and nothing else. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; frame-ancestors 'none'`;

export function docsPage(document: OpenApi, others: OpenApi): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation: operation as Operation,
    })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))].sort();
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag) && operation.deprecated !== true);
    return `<section><h2>${escape(tag)}</h2>${own.map((each) => operationBlock(each.method, each.path, each.operation)).join("")}</section>`;
  });
  const aliases = Object.entries(others.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `<li><code>${escape(`${method.toUpperCase()} ${path}`)}</code></li>`),
  );
  const models = Object.entries(document.components.schemas).map(
    ([name, schema]) =>
      `<details id="${escape(name)}"><summary><code>${escape(name)}</code></summary>${pre(schema)}</details>`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(document.info.title)}: the HTTP contract</title><style>${style}</style></head>
<body><h1>${escape(document.info.title)}</h1><p>${escape(document.info.description)} The same as data: <a href="${root}v1/openapi.json">/v1/openapi.json</a>.</p>
${sections.join("\n")}<section><h2>Models</h2>${models.join("")}</section><section><h2>Compatibility aliases</h2><ul>${aliases.join("")}</ul></section></body></html>`;
}

function operationBlock(method: string, path: string, operation: Operation): string {
  const parameters = operation.parameters.map(
    ({ name, in: place, schema }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${escape(place)}</td><td>${escape(schema.description ?? "")}</td></tr>`,
  );
  const body = Object.entries(operation.requestBody?.content ?? {})
    .slice(0, 1)
    .map(([type, { schema }]) => `<h4>Body <small>${escape(type)}</small></h4>${pre(schema)}`);
  const answers = Object.entries(operation.responses).map(
    ([status, { description, $ref }]) =>
      `<tr><td><code>${status}</code></td><td>${escape(description ?? `${$ref?.split("/").at(-1)}`)}</td></tr>`,
  );
  return `<details><summary><span class="method"><code>${method}</code></span><code>${escape(path)}</code> ${escape(operation.summary)}</summary>
<p>${escape(operation.description ?? "")}${operation.security.length > 0 ? " Needs <code>Authorization: Bearer</code>." : ""}</p>
${parameters.length > 0 ? `<h4>Parameters</h4><table>${parameters.join("")}</table>` : ""}${body.join("")}<h4>Answers</h4><table>${answers.join("")}</table></details>`;
}

function pre(value: unknown): string {
  return `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
