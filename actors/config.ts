/** Everything that can be set from outside: one schema, read once in `main`, from which the checks, `--help` and the README's table follow. */
import process from "node:process";
import { Kind, type Static, type TSchema, Type as t } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** The configuration as one frozen value; what each field means stands in the README's table. */
export type Config = {
  readonly role: "all" | "auth" | "task" | "consumer";
  readonly host: string;
  readonly port: number;
  readonly adminHost: string;
  readonly adminPort: number;
  readonly dataDir: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** How long a change may wait for its verdict before it is 202. */
  readonly verdictTimeoutMs: number;
  readonly taskWorkers: number;
  /** Requests of one user per window. */
  readonly rateLimit: { readonly requests: number; readonly windowS: number };
  /** `iss` and `aud` of access tokens. */
  readonly issuer: string;
  readonly audience: string;
  /** Accept a message that kills a worker from inside (test builds only). */
  readonly debugFaults: boolean;
};

const one = <const V extends readonly string[]>(values: V, byDefault: V[number], description: string) =>
  t.Union(
    values.map((value) => t.Literal<V[number]>(value)),
    { default: byDefault, description },
  );
const whole = (minimum: number, maximum: number, byDefault: number, description: string) =>
  t.Integer({ minimum, maximum, default: byDefault, description });
const visible = (byDefault: string, description: string) =>
  t.String({ pattern: "^[\\x21-\\x7e]{1,255}$", default: byDefault, description });

/** Each variable with its bounds, default and meaning. */
export const variables = t.Object({
  ROLE: one(
    ["all", "auth", "task", "consumer"],
    "all",
    "Which roles this process runs; `task` or `consumer` alone need Kafka, which this build does not have yet.",
  ),
  HOST: visible("127.0.0.1", "Address of the public port."),
  PORT: whole(0, 65_535, 3_000, "Public port; 0 picks a free one."),
  ADMIN_HOST: visible("127.0.0.1", "Address of the admin port."),
  ADMIN_PORT: whole(0, 65_535, 3_001, "Port of `/livez`, `/readyz`, `/metrics` and `/tree`; 0 picks a free one."),
  DATA_DIR: t.String({
    minLength: 1,
    pattern: "^[^\\0]+$",
    default: "./data",
    description: "Folder of the databases; made (for its owner only) when missing.",
  }),
  LOG_LEVEL: one(["debug", "info", "warn", "error"], "info", "The least important lines that are logged."),
  TT_VERDICT_TIMEOUT_MS: whole(
    1,
    60_000,
    2_000,
    "How long a change waits for the writer before it is answered 503, in milliseconds.",
  ),
  TT_TASK_WORKERS: whole(1, 64, 1, "Worker threads of the `task` role that share the public port."),
  TT_RATE_LIMIT: t.String({
    pattern: "^[1-9][0-9]{0,8}/[1-9][0-9]{0,4}$",
    default: "1200000/60",
    description: "Requests of one user per window: `requests/seconds`.",
    examples: ["600/60"],
  }),
  TT_ISSUER: visible("task-tracker", "`iss` of access tokens."),
  TT_AUDIENCE: visible("task-tracker", "`aud` of access tokens."),
  TT_DEBUG_FAULTS: one(
    ["0", "1"],
    "0",
    "With 1, `POST /debug/kill` on the admin port ends an actor from inside. For tests only.",
  ),
});

export type Variable = {
  readonly name: string;
  readonly values: string;
  readonly default: string;
  readonly about: string;
};

/** The variables as rows, for `--help` and the README. */
export function variableRows(): Variable[] {
  return Object.entries(variables.properties).map(([name, schema]) => ({
    name,
    values: valuesOf(schema),
    default: String(schema.default),
    about: schema.description ?? "",
  }));
}

/** What may stand there, in words. */
function valuesOf(schema: TSchema): string {
  if (schema[Kind] === "Union") return schema.anyOf.map((each: TSchema) => each.const).join(", ");
  if (schema[Kind] === "Integer") return `${schema.minimum} to ${schema.maximum}`;
  if (Array.isArray(schema.examples)) return `like ${schema.examples.join(", ")}`;
  return "text";
}

/** Backends of the design that this build does not have: ignoring one silently would put data where nobody expects it. */
const backends = ["DATABASE_URL", "MONGO_URL", "REDIS_URL", "KAFKA_BROKERS", "AUTH_URL"];
const prefix = "TT_";

/** Thrown with one line for each thing that is wrong. */
export class ConfigError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/** Reads and checks the whole environment at once; throws a `ConfigError` that names every fault. Nothing is touched. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const faults: string[] = [];
  const read: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(variables.properties)) {
    const given = env[name];
    const value = given === undefined ? schema.default : parsed(schema, given);
    read[name] = value;
    if (!Value.Check(schema, value)) faults.push(`${name} must be ${wanted(schema)}, not ${shown(given)}`);
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || name in variables.properties) continue;
    const near = nearest(name, Object.keys(variables.properties));
    faults.push(`${name} is not a known variable${near === undefined ? "" : `; did you mean ${near}?`}`);
  }
  for (const name of backends) {
    if ((env[name] ?? "") !== "")
      faults.push(`${name} is not supported yet: this build has only the embedded stores in DATA_DIR`);
  }
  const values = read as Static<typeof variables>;
  if (values.ROLE === "task" || values.ROLE === "consumer") {
    faults.push(
      `ROLE=${values.ROLE} alone needs KAFKA_BROKERS, which is not supported yet; leave ROLE out to run all roles in one process`,
    );
  }
  if (values.PORT === values.ADMIN_PORT && values.PORT !== 0)
    faults.push(`PORT and ADMIN_PORT must differ, not both be ${values.PORT}`);
  if (faults.length > 0) throw new ConfigError(faults);
  const [requests = 0, windowS = 0] = values.TT_RATE_LIMIT.split("/").map(Number);
  return Object.freeze({
    role: values.ROLE,
    host: values.HOST,
    port: values.PORT,
    adminHost: values.ADMIN_HOST,
    adminPort: values.ADMIN_PORT,
    dataDir: values.DATA_DIR,
    logLevel: values.LOG_LEVEL,
    verdictTimeoutMs: values.TT_VERDICT_TIMEOUT_MS,
    taskWorkers: values.TT_TASK_WORKERS,
    rateLimit: Object.freeze({ requests, windowS }),
    issuer: values.TT_ISSUER,
    audience: values.TT_AUDIENCE,
    debugFaults: values.TT_DEBUG_FAULTS === "1",
  });
}

/** Numbers are decimal digits and nothing else: no sign, space, exponent or leading zero. */
function parsed(schema: TSchema, given: string): unknown {
  return schema[Kind] === "Integer" && /^(0|[1-9][0-9]{0,14})$/.test(given) ? Number(given) : given;
}

function wanted(schema: TSchema): string {
  if (schema[Kind] === "Union") return `one of ${valuesOf(schema)}`;
  if (schema[Kind] === "Integer") return `a whole number from ${valuesOf(schema)}`;
  if (Array.isArray(schema.examples)) return `requests/seconds, ${valuesOf(schema)}`;
  return schema.minLength === undefined ? "1 to 255 visible ASCII characters" : "a path";
}

function shown(given: string | undefined): string {
  if (given === undefined || given === "") return "empty";
  return JSON.stringify(given.length > 60 ? `${given.slice(0, 60)}...` : given);
}

/** The known name that is at most three edits away. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known.map((each) => ({ each, far: distance(name, each) })).sort((a, b) => a.far - b.far);
  const [best] = ranked;
  return best !== undefined && best.far <= 3 ? best.each : undefined;
}

/** Levenshtein's: letters to add, drop or change. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
