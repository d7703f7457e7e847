/** The OpenAPI document as one HTML page: nothing is fetched from elsewhere, readable offline, without its script too, and under a strict content policy. */
import { createHash } from "node:crypto";
import { escape, linkTo, modelHtml, type PageSchema, prose, typeHtml } from "./docs-schema.ts";
import { tryScript } from "./docs-try.ts";
import type { OpenApi } from "./openapi.ts";

type Parameter = {
  name: string;
  in: string;
  required: boolean;
  description: string;
  schema: PageSchema;
  example: unknown;
};
type Media = { schema: PageSchema; example?: unknown; examples?: Record<string, { $ref: string }> };
type Response = { description?: string; $ref?: string; content?: Record<string, Media> };
type Operation = {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: unknown[];
  parameters: Parameter[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, Response>;
};
type Listed = { readonly path: string; readonly method: string; readonly operation: Operation };

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
nav ul { columns: 16rem; padding-left: 1rem; } h2 { margin-top: 2.5rem; }
details { border: 1px solid #8886; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; } summary code { font-weight: 600; } .method { display: inline-block; min-width: 4.5rem; }
code { font-size: .9em; } pre { overflow-x: auto; background: #8882; padding: .6rem; border-radius: 6px; font-size: .85rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; border-top: 1px solid #8883; }
form label { display: block; margin: .3rem 0; } input, textarea { font: inherit; width: 100%; box-sizing: border-box; padding: .2rem .4rem; }
textarea { font-family: monospace; min-height: 7rem; } button { font: inherit; padding: .2rem .8rem; margin: .3rem 0; }
`;

/** Stands in the page where its links need the way from the page to the root: nothing that a text of the document can hold, because those are escaped. */
export const root = "<root>";

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The page's own content policy: its one style sheet, its one script, and requests to this server. */
export const docsPolicy = [
  "default-src 'none'",
  `script-src ${hashOf(tryScript)}`,
  `style-src ${hashOf(style)}`,
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function docsPage(document: OpenApi, others: OpenApi): string {
  const operations = operationsOf(document);
  const sections = document.tags.map(({ name, description }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `<section><h2 id="tag-${escape(name)}">${escape(name)}</h2><p>${prose(description)}</p>${own.map((each) => operationHtml(each, document)).join("")}</section>`;
  });
  const models = Object.entries(document.components.schemas).map(([name, schema]) =>
    modelHtml(name, schema as PageSchema),
  );
  const known = new Set(operations.map(({ operation }) => operation.operationId));
  const aliases = operationsOf(others).map(({ method, path, operation }) => {
    const id = operation.operationId.replace(/Alias\d+$/, "");
    const meaning = known.has(id) ? linkTo(id, operation.summary) : escape(operation.summary);
    return `<tr><td><code>${escape(`${method} ${path}`)}</code></td><td>${meaning}</td></tr>`;
  });
  const links = document.tags.map(({ name }) => `<li>${linkTo(`tag-${name}`, name)}</li>`);
  const { title, description } = document.info;
  return `<!doctype html><html lang="en" data-root="${root}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(title)}: the HTTP contract</title><style>${style}</style></head>
<body><h1>${escape(title)}</h1>
<nav aria-label="Contents"><ul>${links.join("")}<li>${linkTo("models", "Models")}</li><li>${linkTo("aliases", "Compatibility aliases")}</li></ul></nav>
${description
  .split("\n\n")
  .map((part) => `<p>${prose(part)}</p>`)
  .join("")}
<p>The same as data: <a href="${root}v1/openapi.json">/v1/openapi.json</a>, <a href="${root}v1/openapi-aliases.json">/v1/openapi-aliases.json</a>.</p>
<section><h2 id="try">Try it</h2><p>Each operation below has a form that sends its request to this server, as you: what it changes is changed. The token stays in this page and is forgotten with it.</p>
<label>Access token or API token <input id="token" type="password" autocomplete="off" spellcheck="false"></label></section>
${sections.join("\n")}<section><h2 id="models">Models</h2>${models.join("")}</section>
<section><h2 id="aliases">Compatibility aliases</h2><p>${prose(others.info.description)}</p><div class="wide"><table>${aliases.join("")}</table></div></section>
<script>${tryScript}</script></body></html>`;
}

function operationsOf({ paths }: OpenApi): Listed[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method: method.toUpperCase(),
      operation: operation as Operation,
    })),
  );
}

function operationHtml({ method, path, operation }: Listed, document: OpenApi): string {
  const { operationId, parameters, requestBody } = operation;
  const rows = parameters.map(
    ({ name, in: place, required, description, schema, example }) =>
      `<tr><td><code>${escape(name)}</code>${required ? " *" : ""}</td><td>${escape(place)}</td><td>${typeHtml(schema)}</td><td>${prose(description)}</td><td><code>${escape(textOf(example))}</code></td></tr>`,
  );
  const bodies = Object.entries(requestBody?.content ?? {});
  const body = bodies
    .slice(0, 1)
    .map(
      ([, { schema, example }]) =>
        `<h4>Body</h4><p>${typeHtml(schema)} as ${bodies.map(([type]) => `<code>${escape(type)}</code>`).join(" or ")}</p>${pre(example)}`,
    );
  const head = "<tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th><th>Example</th></tr>";
  const answers = Object.entries(operation.responses).map(([status, response]) =>
    answerRow(status, response, document),
  );
  return `<details id="${escape(operationId)}"><summary><span class="method"><code>${method}</code></span><code>${escape(path)}</code> ${escape(operation.summary)}</summary>
<p>${prose(operation.description)}${operation.security.length > 0 ? ` Needs ${linkTo("try", "a token")}.` : ""} ${linkTo(operationId, "#")}</p>
${rows.length > 0 ? `<h4>Parameters</h4><div class="wide"><table>${head}${rows.join("")}</table></div>` : ""}${body.join("")}
<h4>Answers</h4><div class="wide"><table>${answers.join("")}</table></div>${tryForm({ method, path, operation })}</details>`;
}

function answerRow(status: string, response: Response, document: OpenApi): string {
  const shared = response.$ref?.split("/").at(-1) ?? "";
  const { description = "", content = {} } =
    (document.components.responses[shared] as Response | undefined) ?? response;
  const medias = Object.entries(content).map(([type, { schema, example }]) => {
    const shown = example === undefined ? "" : `<details><summary>Example</summary>${pre(example)}</details>`;
    return `${typeHtml(schema)} <small>${escape(type)}</small>${shown}`;
  });
  return `<tr><td><code>${status}</code></td><td>${prose(description)}</td><td>${medias.join("<br>")}</td></tr>`;
}

/** What the script needs to send a request; without it the form stays closed. */
function tryForm({ method, path, operation }: Listed): string {
  const fields = operation.parameters.map(
    ({ name, in: place, required, example }) =>
      `<label>${escape(name)}${required ? " *" : ""} <input name="${escape(name)}" data-in="${escape(place)}"${required ? ` required value="${escape(textOf(example))}"` : ""} autocomplete="off"></label>`,
  );
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const isForm = type?.includes("urlencoded") === true;
  const body =
    media === undefined || isForm
      ? ""
      : `<label>Body <textarea name="body" data-type="${escape(type ?? "")}" spellcheck="false">${escape(JSON.stringify(media.example, null, 2))}</textarea></label>`;
  return `<details class="try" hidden><summary>Try it</summary><form data-method="${method}" data-path="${escape(path)}">${fields.join("")}${body}<button>Send</button><output></output></form></details>`;
}

function textOf(example: unknown): string {
  const [first] = [example].flat();
  return typeof first === "object" ? JSON.stringify(first) : String(first);
}

function pre(value: unknown): string {
  return `<pre>${escape(typeof value === "string" ? value : JSON.stringify(value, null, 2))}</pre>`;
}
