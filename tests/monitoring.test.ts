/** What an operator sees: metrics, the dashboard, the alerts and their documentation, each against what a real process shows. */
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promtool } from "../deploy/check/tools.ts";
import { at, list, text, type Value } from "../deploy/check/value.ts";
import { call, person, type Task } from "./system/client.ts";
import { oneProcess, placeOn, servers } from "./system/deployments.ts";
import { poll } from "./system/poll.ts";
import type { Runtime } from "./system/runtimes.ts";
import { cleanUp, start, temporaryFolder } from "./system/server.ts";
import { describeWith } from "./system/services.ts";

const root = join(import.meta.dir, "..");
const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const deadlineMs = 60_000;
afterAll(cleanUp);

/** Installing it may take a minute, once on a machine. */
const checker = await promtool(() => undefined).then(
  (had) => ({ had }),
  (error: Error) => {
    if (process.env.CI === "true") throw error;
    return { missing: error.message };
  },
);
const describeChecked = describe.skipIf("missing" in checker);
const skipped = "missing" in checker ? ` (skipped: ${checker.missing})` : "";
const check = () => ("had" in checker ? checker.had : ({} as never));

const metricsOf = async (admin: string): Promise<string> => (await call(admin, "GET", "/metrics")).text;

type Shown = { type: string; labels: Set<string> };
/** The metrics of an answer by name, with the labels that their samples have. */
function familiesIn(answer: string): Map<string, Shown> {
  const found = new Map<string, Shown>();
  for (const [, name = "", type = ""] of answer.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    found.set(name, { type, labels: new Set() });
  for (const [, sample = "", labels = ""] of answer.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const family = found.get(familyOf(sample, found));
    for (const [, label = ""] of labels.matchAll(/([a-z_]+)="/g)) if (label !== "le") family?.labels.add(label);
  }
  return found;
}
function familyOf(sample: string, families: ReadonlyMap<string, Shown>): string {
  const base = sample.replace(/_(bucket|sum|count)$/, "");
  return families.get(base)?.type === "histogram" ? base : sample;
}
/** The number of one sample, named with its labels. */
const valueOf = (answer: string, sample: string): number | undefined => {
  const line = answer.split("\n").find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
};

/** The metrics that an expression of PromQL names. */
function namesIn(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, "")
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, "")
    .replace(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, "");
  return [...bare.matchAll(/\b[a-z_]+\b(?!\s*\()/g)]
    .map(([name]) => name)
    .filter((name) => !/^(and|or|unless)$/.test(name));
}

const dashboard = JSON.parse(read("deploy", "compose", "grafana", "task-tracker.json")) as {
  panels: { title: string; targets: { expr: string }[] }[];
};
const rules = list(at(Bun.YAML.parse(read("deploy", "compose", "alerts.yml")) as Value, "groups", 0, "rules"));
const nameOf = (rule: Value) => text(at(rule, "alert"));
const operations = read("docs", "operations.md");

describe("the alerts", () => {
  const cases = list(at(Bun.YAML.parse(read("deploy", "compose", "alerts.test.yml")) as Value, "tests"));

  test.each(rules.map((rule) => [nameOf(rule), rule] as const))(
    "%s waits, has a severity, says what to do",
    (name, rule) => {
      expect(text(at(rule, "for"))).toMatch(/^[1-9]\d*m$/);
      expect(["critical", "warning", "info"]).toContain(text(at(rule, "labels", "severity")));
      expect(text(at(rule, "annotations", "summary"))).toEndWith(".");
      const [file, anchor] = text(at(rule, "annotations", "runbook")).split("#");
      expect(file).toBe("docs/operations.md");
      const section = operations.split(`### ${name}\n`)[1]?.split("\n#")[0]?.trim() ?? "";
      expect(anchor).toBe(name.toLowerCase());
      expect(section.length).toBeGreaterThan(60);
    },
  );
  test.each(rules.map(nameOf))("%s is tested in trouble and in health", (name) => {
    const fires = cases
      .flatMap((each) => list(at(each, "alert_rule_test")))
      .filter((each) => text(at(each, "alertname")) === name)
      .map((each) => list(at(each, "exp_alerts")).length);
    expect(fires.sort()).toEqual([0, 1]);
  });

  describeChecked(`by promtool${skipped}`, () => {
    const compose = (file: string) => join(root, "deploy", "compose", file);
    test("are well-formed, as is the configuration that names them", async () => {
      expect(await check().rules(compose("alerts.yml"))).toContain(`${rules.length} rules found`);
      expect(await check().config(compose("prometheus.yml"))).toContain("1 rule files found");
    });
    test("fire in trouble and are silent in health", async () => {
      expect(await check().cases(compose("alerts.test.yml"))).toContain("SUCCESS");
    });
    test("a case that does not hold is found", async () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "alerts.yml"), read("deploy", "compose", "alerts.yml").replace("> 0.01", "> 0.5"));
      writeFileSync(join(folder, "alerts.test.yml"), read("deploy", "compose", "alerts.test.yml"));
      await expect(check().cases(join(folder, "alerts.test.yml"))).rejects.toThrow();
    });
  });
});

describe.each(["bun", "deno"] satisfies Runtime[])("metrics on %s", (runtime) => {
  describeChecked(`by promtool${skipped}`, () => {
    test("are clean, and count what was done", async () => {
      const system = await start({ runtime });
      const ada = await person(system.url);
      for (let each = 0; each < 3; each++)
        expect((await ada.call("POST", "/v1/tasks", { body: { title: "counted" } })).status).toBe(201);
      const { body } = await ada.call<Task>("POST", "/v1/tasks", { body: { title: "read twice" } });
      for (let each = 0; each < 2; each++) await ada.call("GET", `/v1/tasks/${body.id}`);
      expect((await call(system.url, "GET", `/v1/nothing-${crypto.randomUUID()}`)).status).toBe(404);
      const answer = await metricsOf(system.admin);
      const file = join(temporaryFolder(), "metrics.txt");
      writeFileSync(file, answer);
      expect(await check().metrics(file)).toBe("");
      expect(valueOf(answer, 'http_requests_total{method="POST",route="/v1/tasks",status="201"}')).toBe(4);
      expect(valueOf(answer, 'http_request_duration_seconds_count{method="POST",route="/v1/tasks"}')).toBe(4);
      expect(valueOf(answer, 'http_requests_total{method="POST",route="/v1/auth/register",status="201"}')).toBe(1);
      expect(valueOf(answer, 'http_requests_total{method="GET",route="none",status="404"}')).toBe(1);
      expect(valueOf(answer, 'verdict_duration_seconds_count{verdict="applied"}')).toBe(4);
      expect(valueOf(answer, 'writer_commands_total{verdict="applied"}')).toBe(4);
      expect(valueOf(answer, 'task_cache_reads_total{cache="memory",result="hit"}')).toBe(1);
      expect(valueOf(answer, "ready")).toBe(1);
      expect(valueOf(answer, "process_open_fds")).toBeGreaterThan(3);
      expect((await system.end("SIGTERM")).code).toBe(0);
    }, 120_000);
  });

  test("an actor that ends counts on where it was", async () => {
    const system = await start({ runtime, env: { TT_DEBUG_FAULTS: "1" } });
    const ada = await person(system.url);
    for (let each = 0; each < 5; each++) await ada.call("GET", "/v1/tasks");
    const sample = 'http_requests_total{method="GET",route="/v1/tasks",status="200"}';
    const before = await metricsOf(system.admin);
    expect(valueOf(before, sample)).toBe(5);
    expect((await call(system.admin, "POST", "/debug/kill?actor=task&how=throw")).status).toBe(202);
    await poll(
      "the actor was restarted",
      deadlineMs,
      async () => (valueOf(await metricsOf(system.admin), 'actor_restarts_total{actor="task",index="0"}') ?? 0) === 1,
    );
    await poll("it answers", deadlineMs, () =>
      ada.call("GET", "/v1/tasks").then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
    const after = await metricsOf(system.admin);
    expect(valueOf(after, sample)).toBe(6);
    expect(valueOf(after, "http_requests_in_flight")).toBe(0);
    expect(after.match(/^# TYPE http_requests_total /gm)).toHaveLength(1);
    expect((await system.end("SIGTERM")).code).toBe(0);
  }, 120_000);
});

test("metrics are answered while an actor hangs, and tell of it afterwards", async () => {
  const system = await start({ env: { TT_DEBUG_FAULTS: "1" } });
  const restarts = 'actor_restarts_total{actor="consumer",index="0"}';
  expect((await call(system.admin, "POST", "/debug/kill?actor=consumer&how=hang")).status).toBe(202);
  let whileItHangs = 0;
  await poll("it was restarted", deadlineMs, async () => {
    const count = valueOf(await metricsOf(system.admin), restarts);
    if (count === 0) whileItHangs += 1;
    return count === 1;
  });
  expect(whileItHangs).toBeGreaterThan(3);
  expect((await system.end("SIGTERM")).code).toBe(0);
}, 120_000);

describeWith("on servers and embedded", [await servers()], (urls) => {
  test("all that dashboard and alerts name is shown; all that is shown is documented and has a panel", async () => {
    const place = await placeOn(urls);
    const [embedded, onServers] = [await oneProcess("bun"), await oneProcess("bun", place.env)];
    const answers: string[] = [];
    for (const system of [embedded, onServers]) {
      const ada = await person(system.urls[0]);
      const { body } = await ada.call<Task>("POST", "/v1/tasks", { body: { title: "shown" } });
      await ada.call("PATCH", `/v1/tasks/${body.id}`, { body: { title: "changed" } });
      const [process] = system.processes;
      if (process === undefined) throw new Error("Cannot test without a process");
      await poll("it shows what it has looked at", deadlineMs, async () =>
        system === embedded
          ? (await metricsOf(process.admin)).includes("data_dir_free_bytes ")
          : /^log_lag_commands\{actor="consumer"\}/m.test(await metricsOf(process.admin)),
      );
      answers.push(await metricsOf(process.admin));
    }
    const shown = familiesIn(answers[0] ?? "");
    for (const [name, { type, labels }] of familiesIn(answers[1] ?? ""))
      shown.set(name, { type, labels: new Set([...labels, ...(shown.get(name)?.labels ?? [])]) });
    const names = [...shown.keys()].sort();

    const panels = dashboard.panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => namesIn(expr)));
    const alerts = rules.flatMap((rule) => namesIn(text(at(rule, "expr"))));
    // Prometheus makes this one of each scrape.
    const named = [...panels, ...alerts].filter((name) => name !== "up").map((name) => familyOf(name, shown));
    expect([...new Set(named)].filter((name) => !shown.has(name))).toEqual([]);
    expect(names.filter((name) => !panels.some((each) => familyOf(each, shown) === name))).toEqual([]);

    const rows = [...operations.matchAll(/^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\|/gm)];
    const documented = rows.map(([, name, type, labels = ""]) => [name, type, labels.replaceAll("`", "").trim()]);
    expect(documented.sort()).toEqual(
      names.map((name) => [name, shown.get(name)?.type, [...(shown.get(name)?.labels ?? [])].join(", ")]),
    );
    expect(await embedded.end()).toEqual([0]);
    expect(await onServers.end()).toEqual([0]);
    await place.remove();
  }, 180_000);
});
