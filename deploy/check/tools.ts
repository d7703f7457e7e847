/** The programs that the checks need: found, or installed once into the cache folder. */
import { join } from "node:path";
import {
  CannotBeHad,
  cached,
  debianPackages,
  installDeadlineMs,
  isCached,
  run,
  type Say,
} from "../services/install.ts";

const kustomizeModule = "sigs.k8s.io/kustomize/kustomize/v5@v5.6.0";
const python = ["kubernetes-validate==1.37.0", "check-jsonschema==0.39.0"];
const deadlineMs = 60_000;

/** The runtime is promised to run on Node from 22 on; before 22.18 it ran TypeScript only when told to. */
const nodeVersion = "22.23.3";
const nodeMinimum = [22, 18] as const;
const nodeName = `node-${nodeVersion}`;

const schemasName = `schemas-${python.join("-").replaceAll("==", "-")}`;

/** What the checks would install on this machine, in words. */
export function toolsToInstall(): string[] {
  const hasKustomize = [Bun.which("kustomize"), Bun.which("kubectl")].some((found) => found !== null);
  return [
    ...(hasKustomize || isCached("kustomize-5.6.0") ? [] : [`${kustomizeModule} with Go`]),
    ...(isNode(Bun.which("node")) || isCached(nodeName) ? [] : [`Node ${nodeVersion} with npm`]),
    ...(isCached(schemasName) ? [] : [`${python.join(" and ")} from PyPI`]),
  ];
}

/** Whether the program is a Node of a version that will do. */
function isNode(program: string | null): program is string {
  if (program === null) return false;
  const [major = 0, minor = 0] = Bun.spawnSync([program, "-p", "process.versions.node"])
    .stdout.toString()
    .split(".")
    .map(Number);
  return major > nodeMinimum[0] || (major === nodeMinimum[0] && minor >= nodeMinimum[1]);
}

/** The path of a Node.js that runs TypeScript. */
export async function node(say: Say): Promise<string> {
  const installed = Bun.which("node");
  if (isNode(installed)) return installed;
  // Each machine's binary is a package of its own, as those of Bun and Deno are.
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const folder = await cached(nodeName, say, async (draft) => {
    say(`installing Node ${nodeVersion} with npm`);
    await run("npm", ["install", "--prefix", draft, "--no-audit", "--no-fund", `${name}@${nodeVersion}`], {
      deadlineMs: installDeadlineMs,
    });
  });
  return join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
}

/** Renders a folder with a kustomization, as one YAML text. */
export async function kustomize(say: Say): Promise<(folder: string) => Promise<string>> {
  if (Bun.which("kustomize") !== null) return (folder) => run("kustomize", ["build", folder], { deadlineMs });
  // Older ones than 1.27 carry a kustomize that does not know these files.
  const version = Bun.which("kubectl") === null ? "" : await run("kubectl", ["version", "--client"], { deadlineMs });
  const [, minor = "0"] = /v1\.(\d+)\./.exec(version) ?? [];
  if (Number(minor) >= 27) return (folder) => run("kubectl", ["kustomize", folder], { deadlineMs });
  if (Bun.which("go") === null) throw new CannotBeHad("neither kustomize, kubectl 1.27 or later, nor go is installed");
  const folder = await cached("kustomize-5.6.0", say, async (draft) => {
    say(`installing ${kustomizeModule}`);
    await run("go", ["install", kustomizeModule], { deadlineMs: installDeadlineMs, env: { GOBIN: draft } });
  });
  return (of) => run(join(folder, "kustomize"), ["build", of], { deadlineMs });
}

export type Promtool = {
  /** Rejects with the first fault, as the others do. */
  config(path: string): Promise<string>;
  rules(path: string): Promise<string>;
  /** Runs the cases of a file of alert tests. */
  cases(path: string): Promise<string>;
  /** Metrics as a process shows them, from a file. */
  metrics(path: string): Promise<string>;
};

/** Prometheus' own checker. */
export async function promtool(say: Say): Promise<Promtool> {
  if (Bun.which("promtool") === null) await debianPackages(["prometheus"], say);
  const check = (args: readonly string[]) => run("promtool", args, { deadlineMs });
  return {
    config: (path) => check(["check", "config", path]),
    rules: (path) => check(["check", "rules", path]),
    cases: (path) => check(["test", "rules", path]),
    // It takes them from its standard input alone.
    metrics: (path) => run("sh", ["-c", 'promtool check metrics <"$1"', "sh", path], { deadlineMs }),
  };
}

export type Schemas = {
  /** Rejects with the first fault when a manifest in the file does not have its form, or has more than it. */
  manifests(path: string): Promise<string>;
  compose(path: string): Promise<string>;
};

export async function schemas(say: Say): Promise<Schemas> {
  const folder = await cached(schemasName, say, async (draft) => {
    const venv = () => run("python3", ["-m", "venv", draft], { deadlineMs });
    // Debian's python3 comes without the module that makes a venv whole.
    await venv().catch(async () => {
      await debianPackages(["python3", "python3-venv"], say);
      await venv();
    });
    say(`installing ${python.join(" and ")}`);
    await run(join(draft, "bin", "python"), ["-m", "pip", "install", "-q", ...python], {
      deadlineMs: installDeadlineMs,
    });
  });
  // By the venv's own Python: the scripts' first line names the folder that the venv was made in.
  const module = (name: string, args: readonly string[]) =>
    run(join(folder, "bin", "python"), ["-m", name, ...args], { deadlineMs });
  return {
    manifests: (path) => module("kubernetes_validate", ["--strict", path]),
    compose: (path) => module("check_jsonschema", ["--builtin-schema", "vendor.compose-spec", path]),
  };
}
