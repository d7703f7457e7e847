import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, readConfig, variableRows } from "./config.ts";

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test("an empty environment gives the documented defaults, frozen", () => {
  const config = readConfig({});
  expect(config).toEqual({
    role: "all",
    host: "127.0.0.1",
    port: 3000,
    site: { url: "", allowedOrigins: [], hsts: "host", trustedProxies: [] },
    adminHost: "127.0.0.1",
    adminPort: 3001,
    dataDir: "./data",
    logLevel: "info",
    verdictTimeoutMs: 2000,
    taskWorkers: 1,
    rateLimit: { requests: 1_200_000, windowS: 60 },
    issuer: "task-tracker",
    audience: "task-tracker",
    trustedProxies: [],
    webhookAllow: [],
    registration: "open",
    loginDelay: true,
    page: true,
    debugFaults: false,
  });
  expect([config, config.site, config.site.allowedOrigins].every(Object.isFrozen)).toBe(true);
});

test("every variable reaches its field", () => {
  const config = readConfig({
    ROLE: "auth",
    PORT: "0",
    ADMIN_PORT: "0",
    TT_RATE_LIMIT: "10/1",
    TT_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
    TT_REGISTRATION: "closed",
    TT_LOGIN_DELAY: "off",
    TT_DEBUG_FAULTS: "1",
    TT_TASK_WORKERS: "2",
    TT_PUBLIC_URL: "https://example.org:8443/todo/",
    TT_ALLOWED_ORIGINS: "https://app.example.org, http://localhost:5173",
    TT_HSTS: "subdomains",
    PATH: "/bin",
  });
  expect(config).toMatchObject({
    role: "auth",
    port: 0,
    adminPort: 0,
    rateLimit: { requests: 10, windowS: 1 },
    trustedProxies: ["10.0.0.0/8", "::1"],
    registration: "closed",
    loginDelay: false,
    debugFaults: true,
    taskWorkers: 2,
    site: {
      url: "https://example.org:8443/todo",
      allowedOrigins: ["https://app.example.org", "http://localhost:5173"],
      hsts: "subdomains",
      trustedProxies: ["10.0.0.0/8", "::1"],
    },
  });
});

test("all faults are told together, one line each", () => {
  const faults = faultsOf({
    PORT: "80x",
    LOG_LEVEL: "loud",
    TT_RATE_LIMIT: "many",
    DATABASE_URL: "postgre://ada:hunter2@db/tasks",
    TT_ISUER: "x",
  });
  expect(faults).toEqual([
    'PORT must be a whole number from 0 to 65535, not "80x"',
    'LOG_LEVEL must be one of debug, info, warn, error, not "loud"',
    'TT_RATE_LIMIT must be requests/seconds, like 600/60, not "many"',
    "TT_ISUER is not a known variable; did you mean TT_ISSUER?",
    "DATABASE_URL must be like postgres://user@host:5432/name",
  ]);
  expect(faults.join("")).not.toContain("\n");
});

test.each(["", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x10", "01", "65536", "NaN", "١"])(
  "PORT=%j is no port",
  (value) => {
    expect(faultsOf({ PORT: value })).toHaveLength(1);
  },
);

test.each(["task", "consumer"])("ROLE=%s alone is refused for the lack of Kafka", (role) => {
  expect(faultsOf({ ROLE: role }).join()).toContain("needs KAFKA_BROKERS");
});

test("each secret may be in a file, whatever its name begins with", () => {
  const files = variableRows().flatMap(({ name, about }) => (about.includes(`${name}_FILE`) ? [`${name}_FILE`] : []));
  expect(files).toContain("TT_WEBHOOK_KEY_FILE");
  for (const name of files) {
    const faults = faultsOf({ [name]: "/nowhere" });
    expect(faults).toContain(`${name} cannot be read: ENOENT`);
    expect(faults.join()).not.toContain("not a known variable");
  }
});

test("every server reaches its field, with secrets from files", () => {
  const folder = mkdtempSync(join(tmpdir(), "config-test-"));
  try {
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const config = readConfig({
      DATABASE_URL_FILE: file("database", "postgres://ada@db/tasks\n"),
      DATABASE_PASSWORD_FILE: file("password", "hunter 2\n"),
      KAFKA_BROKERS: "a:9092,b:9093",
      KAFKA_USERNAME: "ada",
      KAFKA_PASSWORD: "hunter3",
      KAFKA_TLS: "1",
      MONGO_URL: "mongodb://m/tasks",
      REDIS_URL: "rediss://r",
      TLS_CA_FILE: file("ca", "PEM"),
      TT_PARTITIONS: "3",
      TT_LOG_RETENTION: "30",
      TT_NAMESPACE: "one",
      TT_WEBHOOK_KEY_FILE: file("webhook", `${"k".repeat(32)}\n`),
    });
    expect(config).toMatchObject({
      database: { url: "postgres://ada@db/tasks", password: "hunter 2", ca: "PEM" },
      kafka: {
        brokers: ["a:9092", "b:9093"],
        partitions: 3,
        logRetentionDays: 30,
        tls: true,
        namespace: "one.",
        sasl: { mechanism: "scram-sha-512", username: "ada", password: "hunter3" },
      },
      mongo: { url: "mongodb://m/tasks", ca: "PEM" },
      redis: { url: "rediss://r", ca: "PEM", namespace: "one." },
      webhookKey: "k".repeat(32),
      trustedCa: "PEM",
    });
    expect(
      readConfig({ ROLE: "task", AUTH_URL: "http://auth/", KAFKA_BROKERS: "a:1", MONGO_URL: "mongodb://m" }),
    ).toMatchObject({
      authUrl: "http://auth",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const contradictory: [Record<string, string>, string][] = [
  [{ KAFKA_BROKERS: "a:1" }, "KAFKA_BROKERS and MONGO_URL go together: the log and the read model that is made of it"],
  [
    { MONGO_URL: "mongodb://m" },
    "KAFKA_BROKERS and MONGO_URL go together: the log and the read model that is made of it",
  ],
  [{ AUTH_URL: "http://a" }, "AUTH_URL is for ROLE=task: ROLE=all has an auth of its own"],
  [{ REDIS_PASSWORD: "x" }, "REDIS_PASSWORD needs REDIS_URL"],
  [{ KAFKA_PASSWORD: "x" }, "KAFKA_PASSWORD needs KAFKA_USERNAME"],
  [{ KAFKA_TLS: "1" }, "KAFKA_TLS needs KAFKA_BROKERS"],
  [{ REDIS_URL: "redis://r", REDIS_URL_FILE: "/nowhere" }, "REDIS_URL and REDIS_URL_FILE are both given: one of them"],
  [{ REDIS_URL_FILE: "/nowhere" }, "REDIS_URL_FILE cannot be read: ENOENT"],
  [
    { TT_TRUSTED_PROXIES: "10.0.0.0/8,proxy" },
    'TT_TRUSTED_PROXIES must be like 10.0.0.0/8,::1: "proxy" is no address or network',
  ],
  [{ TT_HSTS: "1" }, 'TT_HSTS must be one of host, subdomains, off, not "1"'],
];
test.each(contradictory)("%j is refused: %s", (env, fault) => {
  expect(faultsOf(env)).toContain(fault);
});

test("no secret is shown in a fault", () => {
  const faults = faultsOf({
    DATABASE_URL: "mysql://ada:hunter2@db",
    MONGO_URL: "http://ada:hunter2@m",
    REDIS_URL: "hunter2",
    REDIS_PASSWORD: "hunter2\nhunter2",
  });
  expect(faults.length).toBeGreaterThanOrEqual(4);
  expect(faults.join("\n")).not.toContain("hunter2");
});

test("one port cannot serve both purposes", () => {
  expect(faultsOf({ PORT: "4000", ADMIN_PORT: "4000" })).toEqual(["PORT and ADMIN_PORT must differ, not both be 4000"]);
  expect(faultsOf({ PORT: "0", ADMIN_PORT: "0" })).toEqual([]);
});

test("a variable far from all known ones is refused without a guess", () => {
  expect(faultsOf({ TT_SOMETHING_ELSE: "1" })).toEqual(["TT_SOMETHING_ELSE is not a known variable"]);
});

test("every variable is explained", () => {
  for (const row of variableRows())
    expect([row.name, row.about.length > 10, row.values.length > 0]).toEqual([row.name, true, true]);
});

test("traces are asked for by their endpoint alone; headers are secret and checked", () => {
  const endpoint = "https://collector.example:4318/otlp/";
  expect(readConfig({ OTEL_SERVICE_NAME: "x", OTEL_TRACES_SAMPLER_ARG: "0.5" }).tracing).toBeUndefined();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%2Cb=c,X-Tenant=one",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
  };
  expect(readConfig(env).tracing).toEqual({
    endpoint: "https://collector.example:4318/otlp",
    headers: { "api-key": "a,b=c", "x-tenant": "one" },
    service: "task-tracker",
    ratio: 0.25,
  });
  const faulty: Record<string, string> = {
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://user:hunter2@collector:4318",
    OTEL_EXPORTER_OTLP_HEADERS: "hunter2",
    OTEL_TRACES_SAMPLER_ARG: "2",
    OTEL_SERVICE_NAME: "",
  };
  expect(faultsOf(faulty)).toHaveLength(4);
  expect(faultsOf(faulty).join()).not.toContain("hunter2");
  for (const headers of ["a=%zz", "a b=c", "a=1,=2", "\u00e9=1"])
    expect(faultsOf({ OTEL_EXPORTER_OTLP_HEADERS: headers })).toHaveLength(1);
});

test.each([
  "*",
  "null",
  "https://*.example.org",
  "https://example.org/",
  "https://EXAMPLE.org",
  "https://a.b,",
  "file://",
])("TT_ALLOWED_ORIGINS=%s is refused: it holds what no browser sends, or what would let in anybody", (list) => {
  expect(faultsOf({ TT_ALLOWED_ORIGINS: list })).toEqual([
    expect.stringMatching(/^TT_ALLOWED_ORIGINS must be origins like https:\/\/app\.example\.org: ".*" is none$/),
  ]);
});

test("each origin of a list that is none is a fault of its own", () => {
  expect(faultsOf({ TT_ALLOWED_ORIGINS: "https://a.example,*,https://a.example:443" })).toHaveLength(2);
});

test.each([
  ...["example.org", "ftp://example.org", "https://", "https://ada:pass@example.org", "https://example.org/?x=1"],
  ...["https://example.org/#x", "https://example.org/a//b", "https://example.org/a/../b", "https://example.org/%61"],
  ...["https://EXAMPLE.org", "https://example.org:443/a", "https://example.org/a b", "https://example.org//"],
])("TT_PUBLIC_URL=%s is refused", (url) => {
  expect(faultsOf({ TT_PUBLIC_URL: url })).toEqual([
    "TT_PUBLIC_URL must be like https://example.org/todo, without user, query and fragment",
  ]);
});

test.each([
  "http://localhost:3000",
  "https://example.org/",
  "https://example.org/todo",
  "https://[::1]:8443/a-b/c_d.e/",
])("TT_PUBLIC_URL=%s is taken, without a slash at its end", (url) => {
  expect(readConfig({ TT_PUBLIC_URL: url }).site.url).toBe(url.replace(/\/$/, ""));
});

test("TT_PUBLIC_URL with a path that the server has itself is refused", () => {
  expect(faultsOf({ TT_PUBLIC_URL: "https://example.org/tasks/mine" })).toEqual([
    "TT_PUBLIC_URL must not have a path that begins with /tasks: the server has paths of that name",
  ]);
});

test("what may be a password in an address is refused without being shown", () => {
  const hidden = { DATA_DIR: "/tmp/x", ROLE: "task", MONGO_URL: "mongodb://m", KAFKA_BROKERS: "a:1" };
  for (const [given, said] of [
    [{ AUTH_URL: "http://ada:hunter2@auth:3000" }, "AUTH_URL must be like http://host:3000, without user and password"],
    [
      { KAFKA_BROKERS: "ada:hunter2@kafka:9092" },
      "KAFKA_BROKERS must be like host:9092,host:9092, without user and password",
    ],
    [{ TT_ALLOWED_ORIGINS: "https://ada:hunter2@app.example.org" }, "one with a user is none"],
    [{ TT_PUBLIC_URL: "https://ada:hunter2@example.org" }, "TT_PUBLIC_URL must be like https://example.org/todo"],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://ada:hunter2@collector" }, "OTEL_EXPORTER_OTLP_ENDPOINT must be like"],
    [{ DATABASE_URL: "postgre://ada:hunter2@db/tasks" }, "DATABASE_URL must be like"],
    [{ REDIS_URL: "http://ada:hunter2@redis" }, "REDIS_URL must be like"],
    [{ MONGO_URL: "http://ada:hunter2@mongo" }, "MONGO_URL must be like"],
  ] as const) {
    const faults = faultsOf({ ...hidden, ...given }).join("\n");
    expect(faults).toContain(said);
    expect(faults).not.toContain("hunter2");
  }
});
