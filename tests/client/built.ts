/** The client's package as a stranger gets it: packed by npm, unpacked into a folder that imports it by its name. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../deploy/services/install.ts";

const source = join(import.meta.dir, "..", "..", "clients", "typescript");
const deadlineMs = 180_000;

export type Packed = { readonly folder: string; readonly files: readonly string[] };

/** Packs it into this folder. */
export async function packed(folder: string): Promise<Packed> {
  const output = await run("npm", ["pack", source, "--json", "--silent", "--pack-destination", folder], { deadlineMs });
  const [{ filename = "", files = [] } = {}] = JSON.parse(output.slice(output.indexOf("["))) as {
    filename: string;
    files: { path: string }[];
  }[];
  const into = join(folder, "node_modules", "@task-tracker", "client");
  mkdirSync(into, { recursive: true });
  await run("tar", ["-xzf", join(folder, filename), "-C", into, "--strip-components=1"], { deadlineMs });
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
  return { folder, files: files.map(({ path }) => path).toSorted() };
}

/** The README's example, and what it is to log. */
export function example(url: string): { code: string; logged: string[] } {
  const readme = readFileSync(join(source, "README.md"), "utf8");
  const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  const logged = [...code.matchAll(/console\.log\(.*\);? \/\/ (.*)$/gm)].map(([, text = ""]) => text);
  return { code: code.replace("http://127.0.0.1:3000", url), logged };
}
