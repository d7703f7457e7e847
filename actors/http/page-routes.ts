/** The page at `/` and the files that it is made of. */
import { Type as t } from "@sinclair/typebox";
import type { PageFile } from "../../web/files.ts";
import { Problem } from "../model/problem.ts";
import type { Answer, Call, Route } from "./route.ts";

/** No inline script or style, no eval, nothing from elsewhere. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function pageRoutes(files: ReadonlyMap<string, PageFile>): Route[] {
  const route = (path: string, id: string, fileOf: (call: Call) => string): Route => ({
    method: "GET",
    path,
    id,
    summary: "The page",
    tag: "Meta",
    auth: "none",
    isUnlisted: true,
    answers: { 200: { description: "A file of the page", schema: t.String() }, 304: { description: "Not modified" } },
    problems: ["not-found"],
    handle: (call) => fileAnswer(files.get(fileOf(call)), call.request.headers),
  });
  return [
    route("/", "page", () => ""),
    route("/assets/:file", "pageAsset", ({ params }) => `assets/${params.file}`),
    route("/manifest.webmanifest", "pageManifest", () => "manifest.webmanifest"),
    route("/service-worker.js", "pageWorker", () => "service-worker.js"),
  ];
}

function fileAnswer(file: PageFile | undefined, headers: Headers): Answer {
  if (file === undefined) throw new Problem("not-found");
  const common = {
    "cache-control": file.isHashed ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": pagePolicy,
    etag: file.etag,
    vary: "Accept-Encoding",
  };
  const known = headers.get("if-none-match")?.split(",") ?? [];
  if (known.some((tag) => tag.trim().replace(/^W\//, "") === file.etag)) return { status: 304, headers: common };
  const [bytes, encoding] = encoded(file, headers.get("accept-encoding") ?? "");
  return {
    status: 200,
    bytes,
    headers: { ...common, "content-type": file.type, ...(encoding === "" ? {} : { "content-encoding": encoding }) },
  };
}

function encoded(file: PageFile, accepted: string): [Uint8Array<ArrayBuffer>, string] {
  const takes = (encoding: string) =>
    new RegExp(`(?:^|,)\\s*${encoding}\\s*(?!;\\s*q=0(?:\\.0*)?\\s*(?:,|$))(?:;|,|$)`).test(accepted);
  if (takes("br")) return [file.brotli, "br"];
  return takes("gzip") ? [file.gzip, "gzip"] : [file.plain, ""];
}
