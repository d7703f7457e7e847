/** Bundles the page into `web/dist` with Bun's bundler: hashed names, compressed beforehand. Runs after an install, and at a start that finds the output old. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = import.meta.dirname;
export const outputFolder = join(folder, "dist");
const listName = "files.json";
const pageEntry = fileURLToPath(new URL("./main.tsx", import.meta.url));
const workerEntry = fileURLToPath(new URL("./service-worker.ts", import.meta.url));

/** What a bundle is made from. */
const sourceFolders = [folder, join(folder, "..", "actors", "resources")];

/** Whether the output is missing, or older than a source. Where there are no sources (in the image) it is as it is. */
export function isOutdated(): boolean {
  const built = mtimeMs(join(outputFolder, listName));
  if (mtimeMs(pageEntry) === undefined) return false;
  if (built === undefined) return true;
  return sourceFolders.some((from) => newestIn(from) > built);
}

function mtimeMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function newestIn(from: string): number {
  let newest = 0;
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.name === "dist" || entry.name.startsWith(".")) continue;
    const path = join(from, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestIn(path) : (mtimeMs(path) ?? 0));
  }
  return newest;
}

/** One file of the output, as the server needs to know it. */
type Built = { readonly path: string; readonly isHashed: boolean };

/** Builds into a folder of its own and puts it in place as a whole: several processes may do so at once. */
export async function buildPage(): Promise<void> {
  mkdirSync(outputFolder, { recursive: true });
  const draft = mkdtempSync(join(folder, ".dist-"));
  try {
    const files = await bundle(draft);
    for (const { path } of files) compress(join(draft, path));
    writeFileSync(join(draft, listName), JSON.stringify(files));
    replace(draft);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Names with a hash cannot clash; the list, which names them, comes last. */
function replace(draft: string): void {
  mkdirSync(join(outputFolder, "assets"), { recursive: true });
  const assets = readdirSync(join(draft, "assets"));
  for (const name of assets) renameSync(join(draft, "assets", name), join(outputFolder, "assets", name));
  for (const entry of readdirSync(draft, { withFileTypes: true }))
    if (entry.isFile() && entry.name !== listName) renameSync(join(draft, entry.name), join(outputFolder, entry.name));
  renameSync(join(draft, listName), join(outputFolder, listName));
  for (const name of readdirSync(join(outputFolder, "assets")))
    if (!assets.includes(name)) rmSync(join(outputFolder, "assets", name), { force: true });
}

const common = { target: "browser", minify: true } as const;
const jsx = { runtime: "automatic", importSource: "preact" } as const;

async function bundle(draft: string): Promise<Built[]> {
  const main = await Bun.build({
    ...common,
    entrypoints: [pageEntry, join(folder, "styles.css")],
    outdir: join(draft, "assets"),
    splitting: true,
    naming: { entry: "[name]-[hash].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    jsx,
  });
  const icon = await Bun.file(join(folder, "icon.svg")).text();
  const iconName = `icon-${Bun.hash(icon).toString(36)}.svg`;
  writeFileSync(join(draft, "assets", iconName), icon);
  const assets = [...main.outputs.map(({ path }) => basename(path)), iconName];
  const entries = main.outputs.filter(({ kind, path }) => kind === "entry-point" || path.endsWith(".css"));
  const named = (end: string) => basename(entries.find(({ path }) => path.endsWith(end))?.path ?? "");
  const [script, style] = [named(".js"), named(".css")];
  writeFileSync(join(draft, "index.html"), html({ script, style, icon: iconName }));
  writeFileSync(join(draft, "manifest.webmanifest"), manifest(iconName));
  await bundleWorker(draft, assets);
  return [
    ...assets.map((name) => ({ path: `assets/${name}`, isHashed: true })),
    ...["index.html", "manifest.webmanifest", "service-worker.js"].map((path) => ({ path, isHashed: false })),
  ];
}

/** The service worker is told the names of the shell's files, and so is another one after each change. */
async function bundleWorker(draft: string, assets: readonly string[]): Promise<void> {
  await Bun.build({
    ...common,
    entrypoints: [workerEntry],
    outdir: draft,
    naming: "[name].[ext]",
    define: { SHELL: JSON.stringify(["./", ...assets.map((name) => `assets/${name}`)]) },
  });
}

/** `<base-path>` is where the server puts the path of its public URL. */
function html({ script, style, icon }: { script: string; style: string; icon: string }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Task Tracker</title>
<link rel="stylesheet" href="<base-path>/assets/${style}">
<link rel="icon" type="image/svg+xml" href="<base-path>/assets/${icon}">
<link rel="manifest" href="<base-path>/manifest.webmanifest">
<script type="module" src="<base-path>/assets/${script}"></script>
</head>
<body><div id="app"></div><noscript>This page needs JavaScript.</noscript></body>
</html>
`;
}

function manifest(icon: string): string {
  return JSON.stringify({
    name: "Task Tracker",
    short_name: "Tasks",
    start_url: "./",
    scope: "./",
    display: "standalone",
    background_color: "#f7f7f8",
    theme_color: "#4f46e5",
    icons: [{ src: `assets/${icon}`, sizes: "any", type: "image/svg+xml", purpose: "any" }],
  });
}

/** The page itself is compressed when it is known where it is served. */
function compress(path: string): void {
  if (path.endsWith("index.html")) return;
  const bytes = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}

if (import.meta.main) await buildPage();
