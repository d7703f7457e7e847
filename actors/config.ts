/** Everything that can be set from outside: one schema, read once in `main`, from which the checks, `--help` and the README's table follow. */
import process from "node:process";
import { Kind, type Static, type TSchema, Type as t } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { fileText, valueOrFile } from "./config-file.ts";
import { contradictions } from "./contradictions.ts";
import { networkEntries } from "./http/ip-address.ts";
import { type Site, siteOf } from "./http/site.ts";
import { type MovingSettings, movingSettings, movingVariables } from "./moving-settings.ts";
import { nearest } from "./process/nearest.ts";
import type { KafkaServers, Server } from "./servers.ts";
import type { TracingSettings } from "./tracing/exporter.ts";
import { tracingSettings, tracingVariables } from "./tracing/settings.ts";
import { type WebhookSettings, webhookSettings, webhookVariables } from "./webhook-settings.ts";

type SettingsApart = WebhookSettings & MovingSettings;

/** The configuration as one frozen value; what each field means stands in the README's table. */
export type Config = SettingsApart & {
  readonly role: "all" | "auth" | "task" | "consumer";
  readonly host: string;
  readonly port: number;
  readonly site: Site;
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
  /** Addresses and networks of those whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
  /** Whether people may make accounts themselves. */
  readonly registration: "open" | "closed";
  /** Slow down wrong passwords. */
  readonly loginDelay: boolean;
  /** Serve the page at `/`. */
  readonly page: boolean;
  /** Accept a message that kills a worker from inside (test builds only). */
  readonly debugFaults: boolean;
  /** The real backends; each that is missing has its embedded default. */
  readonly database?: Server;
  readonly redis?: Server;
  /** The log and its read model go together. */
  readonly kafka?: KafkaServers;
  readonly mongo?: Server;
  /** Where `ROLE=task` reaches auth: no path, no slash at its end. */
  readonly authUrl?: string;
  /** Where traces go; without it there are none. */
  readonly tracing?: TracingSettings;
};

const one = <const V extends readonly string[]>(values: V, byDefault: V[number], description: string) =>
  t.Union(
    values.map((value) => t.Literal<V[number]>(value)),
    { default: byDefault, description },
  );
const whole = (minimum: number, maximum: number, byDefault: number, description: string) =>
  t.Integer({ minimum, maximum, default: byDefault, description });
/** Not set unless given. */
const optional = (pattern: string, wanted: string, description: string, more: { secret?: true } = {}) =>
  t.String({ pattern: `^$|${pattern}`, default: "", wanted, description, ...more });
const secret = { secret: true } as const;
const password = (of: string) =>
  optional(
    "^[^\\0\\r\\n]{1,1024}$",
    "1 to 1,024 characters of one line",
    `Password ${of}, in place of one in its URL.`,
    secret,
  );
const visible = (byDefault: string, description: string) =>
  t.String({ pattern: "^[\\x21-\\x7e]{1,255}$", default: byDefault, description });

/** Each variable with its bounds, default and meaning. */
export const variables = t.Object({
  ROLE: one(
    ["all", "auth", "task", "consumer"],
    "all",
    "Which roles this process runs; `task` and `consumer` alone meet through Kafka.",
  ),
  HOST: visible("127.0.0.1", "Address of the public port."),
  PORT: whole(0, 65_535, 3_000, "Public port (`consumer` has none); 0 picks a free one."),
  ADMIN_HOST: visible("127.0.0.1", "Address of the admin port."),
  ADMIN_PORT: whole(0, 65_535, 3_001, "Port of `/livez`, `/readyz`, `/metrics` and `/tree`; 0 picks a free one."),
  DATA_DIR: t.String({
    minLength: 1,
    pattern: "^[^\\0]+$",
    default: "./data",
    description:
      "Folder of the embedded databases; made (for its owner only) when missing, not touched when all have a server.",
  }),
  DATABASE_URL: t.String({
    default: "",
    wanted: "like postgres://user@host:5432/name",
    description: "PostgreSQL for users, sessions and keys; `?sslmode=require` or `verify-full` for TLS.",
    ...secret,
  }),
  DATABASE_PASSWORD: password("of PostgreSQL's user"),
  KAFKA_BROKERS: optional(
    "^[^\\s,:/]+:[0-9]{1,5}(,[^\\s,:/]+:[0-9]{1,5})*$",
    "like host:9092,host:9092",
    "Kafka as the log; goes with `MONGO_URL` (`auth` alone uses it to erase tasks of erased users).",
  ),
  KAFKA_USERNAME: optional("^\\S{1,255}$", "1 to 255 characters without space", "User at Kafka (SASL)."),
  KAFKA_PASSWORD: password("of Kafka's user"),
  KAFKA_SASL: one(
    ["", "plain", "scram-sha-256", "scram-sha-512"],
    "",
    "How Kafka's user signs in; `scram-sha-512` unless given.",
  ),
  KAFKA_TLS: one(["0", "1"], "0", "1: Kafka by TLS."),
  MONGO_URL: optional(
    "^mongodb(\\+srv)?://\\S+$",
    "like mongodb://host:27017/name",
    "MongoDB for the read model; goes with `KAFKA_BROKERS`.",
    secret,
  ),
  MONGO_PASSWORD: password("of MongoDB's user"),
  REDIS_URL: optional(
    "^rediss?://\\S+$",
    "like redis://host:6379",
    "Redis as cache of tasks and for quick revocation; `rediss://` for TLS.",
    secret,
  ),
  REDIS_PASSWORD: password("of Redis"),
  AUTH_URL: optional("^https?://[^\\s/?#@]+/?$", "like http://host:3000", "Where `ROLE=task` reaches the auth role."),
  TLS_CA_FILE: optional("^[^\\0]+$", "a path", "PEM of further authorities, for servers and receivers of webhooks."),
  ...tracingVariables,
  LOG_LEVEL: one(["debug", "info", "warn", "error"], "info", "The least important lines that are logged."),
  TT_VERDICT_TIMEOUT_MS: whole(
    1,
    60_000,
    2_000,
    "How long a change waits for its verdict, in milliseconds; then it is 202 where Kafka has it, else 503.",
  ),
  TT_NAMESPACE: optional(
    "^[a-z0-9][a-z0-9.-]{0,39}$",
    "at most 40 small letters, digits, dots and hyphens",
    "Before the names of Kafka's topics and groups and of Redis' keys, for several systems on the same servers.",
  ),
  TT_PARTITIONS: whole(1, 1_000, 12, "Partitions of Kafka's topics when they are made; later they stay as they are."),
  TT_LOG_RETENTION: whole(
    0,
    36_500,
    0,
    "Days after which Kafka forgets commands, those of erased users too; 0: never. See docs/operations.md.",
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
  TT_PUBLIC_URL: t.String({
    default: "",
    wanted: "like https://example.org/todo",
    description:
      "Where clients reach the server: what `Location`, links and the document's `servers` begin with. Its path may have been taken off requests or not.",
  }),
  TT_ALLOWED_ORIGINS: t.String({
    default: "",
    wanted: "like https://app.example.org,http://localhost:5173",
    description: "Origins of pages that may call the server from a browser, exactly; none unless given.",
  }),
  TT_HSTS: one(
    ["host", "subdomains", "off"],
    "host",
    "`Strict-Transport-Security` where a request came by TLS: for this host, for its subdomains too, or not at all.",
  ),
  TT_TRUSTED_PROXIES: t.String({
    default: "",
    wanted: "like 10.0.0.0/8,::1",
    description:
      "Addresses and networks of reverse proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed.",
  }),
  TT_REGISTRATION: one(
    ["open", "closed"],
    "open",
    "Who makes accounts: anybody, or only the operator (`tracker add-user`).",
  ),
  TT_LOGIN_DELAY: one(["on", "off"], "on", "Slow down who sends wrong passwords; `off` is for tests only."),
  ...webhookVariables,
  TT_PAGE: one(["on", "off"], "on", "The page at `/`; `off` leaves it out, and `/` leads to `/docs`."),
  ...movingVariables,
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
    about: `${schema.description ?? ""}${"secret" in schema ? ` Or \`${name}_FILE\`: a file that holds it.` : ""}`,
  }));
}

/** What may stand there, in words. */
function valuesOf(schema: TSchema): string {
  if (schema[Kind] === "Union") return schema.anyOf.flatMap((each: TSchema) => each.const || []).join(", ");
  if (schema[Kind] === "Integer") return `${schema.minimum} to ${schema.maximum}`;
  if (Array.isArray(schema.examples)) return `like ${schema.examples.join(", ")}`;
  return isLike(schema) ? String(schema.wanted) : "text";
}

/** A form that is told by an example. */
function isLike(schema: TSchema): boolean {
  return typeof schema.wanted === "string" && schema.wanted.startsWith("like ");
}

/** May also be given as the path of a file that holds the value, in `<NAME>_FILE`. */
const alsoAsFile = Object.entries(variables.properties)
  .filter(([, schema]) => "secret" in schema)
  .map(([name]) => name);
const fileNames = alsoAsFile.map((name) => `${name}_FILE`);
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
    const given = alsoAsFile.includes(name) ? valueOrFile(env, name, faults) : env[name];
    const value = given === undefined ? schema.default : parsed(schema, given);
    read[name] = value;
    if (!Value.Check(schema, value)) faults.push(`${name} must be ${wanted(schema)}${shown(schema, given)}`);
  }
  for (const name of Object.keys(env)) {
    if (!name.startsWith(prefix) || name in variables.properties || fileNames.includes(name)) continue;
    const near = nearest(name, Object.keys(variables.properties));
    faults.push(`${name} is not a known variable${near === undefined ? "" : `; did you mean ${near}?`}`);
  }
  const values = read as Static<typeof variables>;
  faults.push(...contradictions(values));
  const tracing = tracingSettings(values, faults);
  const ca = values.TLS_CA_FILE === "" ? undefined : fileText("TLS_CA_FILE", values.TLS_CA_FILE, faults);
  if (faults.length > 0) throw new ConfigError(faults);
  const [requests = 0, windowS = 0] = values.TT_RATE_LIMIT.split("/").map(Number);
  return Object.freeze({
    role: values.ROLE,
    host: values.HOST,
    port: values.PORT,
    site: siteOf(values),
    adminHost: values.ADMIN_HOST,
    adminPort: values.ADMIN_PORT,
    dataDir: values.DATA_DIR,
    logLevel: values.LOG_LEVEL,
    verdictTimeoutMs: values.TT_VERDICT_TIMEOUT_MS,
    taskWorkers: values.TT_TASK_WORKERS,
    rateLimit: Object.freeze({ requests, windowS }),
    issuer: values.TT_ISSUER,
    audience: values.TT_AUDIENCE,
    trustedProxies: Object.freeze(networkEntries(values.TT_TRUSTED_PROXIES)),
    registration: values.TT_REGISTRATION,
    loginDelay: values.TT_LOGIN_DELAY === "on",
    ...webhookSettings(values, ca),
    page: values.TT_PAGE === "on",
    ...movingSettings(values),
    debugFaults: values.TT_DEBUG_FAULTS === "1",
    ...backends(values, ca),
    ...(tracing === undefined ? {} : { tracing }),
  });
}

export type Values = Static<typeof variables>;

function backends(
  values: Values,
  ca: string | undefined,
): Pick<Config, "database" | "redis" | "kafka" | "mongo" | "authUrl"> {
  const trust = ca === undefined ? {} : { ca };
  const namespace = values.TT_NAMESPACE === "" ? "" : `${values.TT_NAMESPACE}.`;
  const server = (url: string, pass: string): Server => ({ url, ...(pass === "" ? {} : { password: pass }), ...trust });
  const { KAFKA_USERNAME: username, KAFKA_PASSWORD: secretOfKafka, KAFKA_SASL: mechanism } = values;
  const sasl = {
    username,
    password: secretOfKafka,
    mechanism: mechanism === "" ? "scram-sha-512" : mechanism,
  } as const;
  return {
    ...(values.DATABASE_URL === "" ? {} : { database: server(values.DATABASE_URL, values.DATABASE_PASSWORD) }),
    ...(values.REDIS_URL === "" ? {} : { redis: { ...server(values.REDIS_URL, values.REDIS_PASSWORD), namespace } }),
    ...(values.MONGO_URL === "" ? {} : { mongo: server(values.MONGO_URL, values.MONGO_PASSWORD) }),
    ...(values.AUTH_URL === "" ? {} : { authUrl: values.AUTH_URL.replace(/\/$/, "") }),
    ...(values.KAFKA_BROKERS === ""
      ? {}
      : {
          kafka: {
            brokers: values.KAFKA_BROKERS.split(","),
            partitions: values.TT_PARTITIONS,
            ...(values.TT_LOG_RETENTION === 0 ? {} : { logRetentionDays: values.TT_LOG_RETENTION }),
            namespace,
            tls: values.KAFKA_TLS === "1",
            ...trust,
            ...(username === "" ? {} : { sasl }),
          },
        }),
  };
}

/** Numbers are decimal digits and nothing else: no sign, space, exponent or leading zero. */
function parsed(schema: TSchema, given: string): unknown {
  return schema[Kind] === "Integer" && /^(0|[1-9][0-9]{0,14})$/.test(given) ? Number(given) : given;
}

function wanted(schema: TSchema): string {
  if (schema[Kind] === "Union") return `one of ${valuesOf(schema)}`;
  if (schema[Kind] === "Integer") return `a whole number from ${valuesOf(schema)}`;
  if (Array.isArray(schema.examples)) return `requests/seconds, ${valuesOf(schema)}`;
  if (typeof schema.wanted === "string") return schema.wanted;
  return schema.minLength === undefined ? "1 to 255 visible ASCII characters" : "a path";
}

/** What was given instead; a secret is not shown. */
function shown(schema: TSchema, given: string | undefined): string {
  if (schema.secret === true) return "";
  if (given === undefined || given === "") return ", not empty";
  // What stands before it may be a password.
  if (given.includes("@")) return isLike(schema) ? ", without user and password" : "";
  return `, not ${JSON.stringify(given.length > 60 ? `${given.slice(0, 60)}...` : given)}`;
}
