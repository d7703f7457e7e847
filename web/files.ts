/** The built page as the server sends it: read once, held in memory, in each encoding. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

export type PageFile = {
  readonly type: string;
  readonly etag: string;
  /** Its name changes with its content. */
  readonly isHashed: boolean;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
  readonly brotli: Uint8Array<ArrayBuffer>;
};

const folder = join(import.meta.dirname, "dist");
const types: Record<string, string> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  html: "text/html; charset=utf-8",
  webmanifest: "application/manifest+json",
};

/** By path below the public one; undefined where the page has not been built. */
export function pageFiles(basePath: string): ReadonlyMap<string, PageFile> | undefined {
  let list: { path: string; isHashed: boolean }[];
  try {
    list = JSON.parse(readFileSync(join(folder, "files.json"), "utf8"));
  } catch {
    return undefined;
  }
  return new Map(
    list.map(({ path, isHashed }) => {
      const file = path === "index.html" ? madeHere(basePath) : asBuilt(path);
      const etag = `"${createHash("sha256").update(file.plain).digest("base64url").slice(0, 22)}"`;
      const type = types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
      return [path === "index.html" ? "" : path, { ...file, type, etag, isHashed }];
    }),
  );
}

type Encodings = Pick<PageFile, "plain" | "gzip" | "brotli">;

function asBuilt(path: string): Encodings {
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)));
  return { plain: read(path), gzip: read(`${path}.gz`), brotli: read(`${path}.br`) };
}

function madeHere(basePath: string): Encodings {
  const text = readFileSync(join(folder, "index.html"), "utf8").replaceAll("<base-path>", basePath);
  const plain = new Uint8Array(new TextEncoder().encode(text));
  return { plain, gzip: new Uint8Array(gzipSync(plain)), brotli: new Uint8Array(brotliCompressSync(plain)) };
}
