/** Rules of ours for the compose files. Each takes the whole project, overrides merged in, and tells what is wrong, one line each. */
import { readFileSync } from "node:fs";
import { at, entries, list, text, type Value } from "./value.ts";

export const ours = ["secrets", "edge", "auth", "task", "consumer", "tracker"];
/** Those that end by themselves. */
const passing = ["secrets", "tracker"];

/** Reads compose files and merges them as Compose does: maps key by key, lists one after the other, what is tagged `!override` anew. */
export function readProject(paths: readonly string[]): Value {
  let project: Value = {};
  for (const path of paths) {
    const yaml = readFileSync(path, "utf8");
    const replaced = [...yaml.matchAll(/^ +(\w+): !override\b/gm)].map(([, key = ""]) => key);
    project = merged(project, Bun.YAML.parse(yaml) as Value, replaced, 0);
  }
  return project;
}

/** `replaced` are keys of services: at depth 2. */
function merged(base: Value | undefined, over: Value, replaced: readonly string[], depth: number): Value {
  if (Array.isArray(base) && Array.isArray(over)) return [...base, ...over];
  if (entries(base).length === 0 || entries(over).length === 0) return over;
  const result = new Map(entries(base));
  for (const [key, value] of entries(over)) {
    const isNew = depth === 2 && replaced.includes(key);
    result.set(key, isNew ? value : merged(result.get(key), value, replaced, depth + 1));
  }
  return Object.fromEntries(result);
}

const services = (project: Value) => entries(at(project, "services"));
const failing = (project: Value, holds: (service: Value, name: string) => boolean): string[] =>
  services(project)
    .filter(([name, service]) => !holds(service, name))
    .map(([name]) => name);

const published = (service: Value) => list(at(service, "ports")).map(text);
const mounts = (service: Value) => list(at(service, "volumes")).map((each) => text(each).split(":"));
/** What a variable holds when nobody has set it; one without a default stays as it is. */
const byDefault = (value: string) => value.replace(/\$\{\w+:-([^}]*)\}/g, "$1");

/** Dependencies, networks and volumes that are not there, and conditions that can never be met. */
export function references(project: Value): string[] {
  const known = (kind: string, name: string) => at(project, kind, name) !== undefined;
  return services(project).flatMap(([name, service]) => [
    ...entries(at(service, "depends_on"))
      .filter(([other, how]) => !canBeMet(at(project, "services", other), text(at(how, "condition"))))
      .map(([other]) => `${name} depends on ${other}`),
    ...networksOf(service)
      .filter((each) => !known("networks", each))
      .map((each) => `${name} is in network ${each}`),
    ...mounts(service)
      .filter(([source = ""]) => !source.startsWith("./") && !known("volumes", source))
      .map(([source]) => `${name} mounts ${source}`),
  ]);
}

/** By name: they stand in a list, or each with more to say of it. */
export function networksOf(service: Value): string[] {
  const networks = at(service, "networks");
  return [...list(networks).map(text), ...entries(networks).map(([name]) => name)];
}

function canBeMet(other: Value | undefined, condition: string): boolean {
  if (other === undefined) return false;
  const isCheckedHere = at(other, "healthcheck") !== undefined && at(other, "healthcheck", "disable") !== true;
  // The image of ours brings its own health check.
  const isChecked =
    isCheckedHere || (text(at(other, "image")).startsWith("task-tracker:") && !at(other, "healthcheck"));
  return condition === "service_healthy"
    ? isChecked
    : condition === "service_completed_successfully" && at(other, "restart") === "no";
}

export const unhealthy = (project: Value) =>
  failing(project, (service, name) => {
    if (passing.includes(name)) return at(service, "restart") === "no";
    return canBeMet(service, "service_healthy") && at(service, "restart") === "unless-stopped";
  });

/** Files that are mounted from the checkout. */
export const mountedFiles = (project: Value): string[] =>
  services(project).flatMap(([, service]) =>
    mounts(service)
      .map(([source = ""]) => source)
      .filter((source) => source.startsWith("./")),
  );

export const inexactImages = (project: Value) =>
  failing(project, (service) => /^(?!.*:latest$)[a-z0-9./-]+:(v?\d+\.\d+(\.\d+)?)$/.test(text(at(service, "image"))));

export const unhardened = (project: Value) =>
  failing(
    project,
    (service) =>
      Bun.deepEquals(at(service, "cap_drop"), ["ALL"]) &&
      list(at(service, "security_opt")).includes("no-new-privileges:true") &&
      at(service, "cap_add") === undefined &&
      at(service, "privileged") === undefined,
  );

export const oursUnsafe = (project: Value) =>
  failing(
    project,
    (service, name) =>
      !ours.includes(name) ||
      (at(service, "read_only") === true &&
        at(service, "init") === true &&
        at(service, "user") === undefined &&
        Number.parseInt(text(at(service, "stop_grace_period")), 10) > 15),
  );

export const unlimited = (project: Value) =>
  failing(
    project,
    (service) =>
      /^\d+[mg]$/.test(text(at(service, "mem_limit"))) &&
      Number(at(service, "pids_limit")) > 0 &&
      text(at(service, "logging", "options", "max-size")) !== "",
  );

/** Every port that is published, with the address: `127.0.0.1:3000`. */
export const publishedPorts = (project: Value): string[] =>
  services(project).flatMap(([, service]) =>
    published(service).map((each) => byDefault(each).split(":").slice(0, -1).join(":")),
  );

/** Who can be reached from outside, or reach out: a part in any network that is not internal. */
export const reachable = (project: Value): string[] =>
  failing(project, (service) =>
    networksOf(service).every((each) => at(project, "networks", each, "internal") === true),
  );

/** Variables that must be set before it starts. */
export function demands(project: Value): string[] {
  return [...JSON.stringify(project).matchAll(/(?<!\$)\$(?:\{\w+\}|\{\w+:?\?|\w)/g)].map(([found]) => found);
}

/** The environment of a service as its process sees it while the operator has set nothing. */
export const environmentOf = (project: Value, name: string): Record<string, string> =>
  Object.fromEntries(
    entries(at(project, "services", name, "environment"))
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [key, byDefault(text(value))]),
  );

/** The variables that a service takes over from the operator's environment: those without a value. */
export const passedOn = (project: Value, name: string): string[] =>
  entries(at(project, "services", name, "environment"))
    .filter(([, value]) => value === null)
    .map(([key]) => key);

/** Passwords that stand in the file, and `*_FILE` variables that point to nothing that is mounted. */
export const openSecrets = (project: Value): string[] =>
  services(project).flatMap(([name, service]) => {
    const targets = mounts(service).map(([, target = ""]) => target);
    return entries(at(service, "environment"))
      .filter(([key, value]) => {
        const isFile = key.endsWith("_FILE");
        if (isFile) return !targets.some((target) => text(value).startsWith(`${target}/`));
        return /PASSWORD|SECRET|TOKEN/.test(key) || /:\/\/[^/@]*:[^/@]*@/.test(text(value));
      })
      .map(([key]) => `${name}: ${key}`);
  });
