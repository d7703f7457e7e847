import { expect, test } from "bun:test";
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
    adminHost: "127.0.0.1",
    adminPort: 3001,
    dataDir: "./data",
    logLevel: "info",
    verdictTimeoutMs: 2000,
    taskWorkers: 1,
    rateLimit: { requests: 1_200_000, windowS: 60 },
    issuer: "task-tracker",
    audience: "task-tracker",
    debugFaults: false,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test("every variable reaches its field", () => {
  const config = readConfig({
    ROLE: "auth",
    PORT: "0",
    ADMIN_PORT: "0",
    TT_RATE_LIMIT: "10/1",
    TT_DEBUG_FAULTS: "1",
    TT_TASK_WORKERS: "2",
    PATH: "/bin",
  });
  expect(config).toMatchObject({
    role: "auth",
    port: 0,
    adminPort: 0,
    rateLimit: { requests: 10, windowS: 1 },
    debugFaults: true,
    taskWorkers: 2,
  });
});

test("all faults are told together, one line each", () => {
  const faults = faultsOf({
    PORT: "80x",
    LOG_LEVEL: "loud",
    TT_RATE_LIMIT: "many",
    DATABASE_URL: "postgres://ada:hunter2@db/tasks",
    TT_ISUER: "x",
  });
  expect(faults).toEqual([
    'PORT must be a whole number from 0 to 65535, not "80x"',
    'LOG_LEVEL must be one of debug, info, warn, error, not "loud"',
    'TT_RATE_LIMIT must be requests/seconds, like 600/60, not "many"',
    "TT_ISUER is not a known variable; did you mean TT_ISSUER?",
    "DATABASE_URL is not supported yet: this build has only the embedded stores in DATA_DIR",
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
