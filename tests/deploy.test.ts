/** The files of deploy/ and docker-compose.yml: their forms by schema, our own rules, each shown able to fail, and the scripts by running them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, connect as dial, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownedByAuth } from "../actors/auth/messages.ts";
import { readConfig, variables } from "../actors/config.ts";
import { spaceNamesIn } from "../actors/kafka/names.ts";
import * as compose from "../deploy/check/compose.ts";
import { defaultDeny, edges } from "../deploy/check/edges.ts";
import * as k8s from "../deploy/check/kubernetes.ts";
import { kustomize, type Schemas, schemas } from "../deploy/check/tools.ts";
import { at, entries, list, put, text, type Value } from "../deploy/check/value.ts";
import { type Edge, edge, readRoute } from "../deploy/compose/edge.ts";
import manifest from "../package.json" with { type: "json" };
import { poll } from "./system/poll.ts";

const root = join(import.meta.dir, "..");
const folder = mkdtempSync(join(tmpdir(), "deploy-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Installing the tools may take a minute or two, once on a machine. */
const toolsDeadlineMs = 300_000;
const silent = () => {};
/** Why a tool is missing; where that is allowed, the tests that need it are skipped by that name. */
async function tool<T>(get: () => Promise<T>): Promise<{ had: T } | { missing: string }> {
  try {
    return { had: await get() };
  } catch (error) {
    if (process.env.CI === "true") throw error;
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}
const validator = await tool(() => schemas(silent));
const renderer = await tool(() => kustomize(silent));
const skipped = (what: { missing: string } | object): string =>
  "missing" in what ? ` (skipped: ${what.missing})` : "";
const validate = "had" in validator ? validator.had : ({} as Schemas);

/** What a variable given as a file holds: each secret of `/secrets` as a file that can be read here. */
function withSecretFiles(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (!name.endsWith("_FILE")) return [name, value];
      const path = join(folder, value);
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, "0123456789abcdef0123456789abcdef");
      return [name, path];
    }),
  );
}
const isKnown = (name: string): boolean => name.replace(/_FILE$/, "") in variables.properties;

describe("docker compose", () => {
  const base = join(root, "docker-compose.yml");
  const override = (name: string) => join(root, "deploy", `compose.${name}.yml`);
  const projects: Record<string, string[]> = {
    "docker-compose.yml": [base],
    "with ZooKeeper": [base, override("zookeeper")],
    "with the tools": [base, override("tools")],
    "with ZooKeeper and the tools": [base, override("zookeeper"), override("tools")],
  };
  const files = [base, ...["zookeeper", "tools", "secrets"].map(override)];
  const service = (project: Value, name: string) => at(project, "services", name);
  const hasReceivers = (of: Value | undefined) =>
    Bun.deepEquals(compose.networksOf(of ?? null).sort(), ["inside", "receivers"]) && at(of, "ports") === undefined;

  describe.skipIf("missing" in validator)(`by schema${skipped(validator)}`, () => {
    const inJson = (project: Value): string => {
      const path = join(folder, `${crypto.randomUUID()}.json`);
      writeFileSync(path, JSON.stringify(project));
      return path;
    };
    test.each(files)("%s has the form of the Compose specification and no unknown key", async (file) => {
      expect(await validate.compose(inJson(compose.readProject([file])))).toContain("ok");
    });
    test("an unknown key is found", async () => {
      const project = compose.readProject([base]);
      put(project, ["services", "task", "read_onyl"], true);
      await expect(validate.compose(inJson(project))).rejects.toThrow();
    });
  });

  type Rule = {
    rule: string;
    faults: (project: Value) => string[];
    breaks: (project: Value) => void;
  };
  const rules: Rule[] = [
    {
      rule: "what is referred to is there, and what is waited for can come",
      faults: compose.references,
      breaks: (project) => put(project, ["services", "task", "depends_on", "kavka"], { condition: "service_healthy" }),
    },
    {
      rule: "a condition that cannot be met is none",
      faults: compose.references,
      breaks: (project) => put(project, ["services", "kafka", "healthcheck"], { disable: true }),
    },
    {
      rule: "each file that is mounted is in the checkout",
      faults: (project) => compose.mountedFiles(project).filter((path) => !existsSync(join(root, path.slice(2)))),
      breaks: (project) => put(project, ["services", "redis", "volumes"], ["./deploy/compose/reddis.sh:/x:ro"]),
    },
    {
      rule: "everything that stays has a health check and comes back by itself",
      faults: compose.unhealthy,
      breaks: (project) => put(project, ["services", "redis", "healthcheck"], undefined),
    },
    {
      rule: "every image is one exact version",
      faults: compose.inexactImages,
      breaks: (project) => put(project, ["services", "redis", "image"], "redis:8"),
    },
    {
      rule: "our image is of this version",
      faults: (project) =>
        compose.ours.filter((name) => at(service(project, name), "image") !== `task-tracker:${manifest.version}`),
      breaks: (project) => put(project, ["services", "task", "image"], "task-tracker:0.0.1"),
    },
    {
      rule: "nobody has a capability or may gain one",
      faults: compose.unhardened,
      breaks: (project) => put(project, ["services", "kafka", "cap_drop"], ["NET_RAW"]),
    },
    {
      rule: "ours run read-only, under an init, as the image's user, with time to stop in order",
      faults: compose.oursUnsafe,
      breaks: (project) => put(project, ["services", "consumer", "stop_grace_period"], "10s"),
    },
    {
      rule: "memory, processes and logs are bounded",
      faults: compose.unlimited,
      breaks: (project) => put(project, ["services", "mongo", "mem_limit"], undefined),
    },
    {
      rule: "ports are published on loopback only",
      faults: (project) => compose.publishedPorts(project).filter((each) => !each.startsWith("127.0.0.1:")),
      breaks: (project) => put(project, ["services", "edge", "ports", 0], "3000:3000"),
    },
    {
      rule: "backends and roles are in the inside network alone, but for the consumer, which calls the receivers of webhooks",
      faults: (project) =>
        compose
          .reachable(project)
          .filter((name) => !["edge", "prometheus", "grafana", "kafka-ui"].includes(name))
          .filter((name) => name !== "consumer" || !hasReceivers(service(project, name))),
      breaks: (project) => put(project, ["networks", "inside", "internal"], false),
    },
    {
      rule: "it starts without any variable set",
      faults: compose.demands,
      breaks: (project) => put(project, ["services", "task", "environment", "LOG_LEVEL"], "$LOG_LEVEL"),
    },
    {
      rule: "no password stands in a file, and each is read from where it is mounted",
      faults: compose.openSecrets,
      breaks: (project) => put(project, ["services", "auth", "environment", "REDIS_URL"], "redis://:secret@redis:6379"),
    },
    {
      rule: "the roles take their environment as it is",
      faults: (project) =>
        [...k8s.roles, "tracker"].flatMap((role) => {
          const env = compose.environmentOf(project, role);
          expect(readConfig(withSecretFiles(env)).role as string).toBe(role === "tracker" ? "all" : role);
          return Object.keys(env).filter((name) => !isKnown(name));
        }),
      breaks: (project) => put(project, ["services", "auth", "environment", "DATABASE_UR"], "postgres://postgres/x"),
    },
  ];
  for (const [name, paths] of Object.entries(projects)) {
    test.each(rules)(`${name}: $rule`, ({ faults }) => {
      expect(faults(compose.readProject(paths))).toEqual([]);
    });
  }
  test.each(rules)("the rule can fail: $rule", ({ faults, breaks }) => {
    const project = compose.readProject([base]);
    breaks(project);
    expect(faults(project)).not.toEqual([]);
  });

  test("auth believes what task says of clients, in a network that the edge is not in", () => {
    const project = compose.readProject([base]);
    const environment = (name: string) => compose.environmentOf(project, name);
    const subnet = text(at(project, "networks", "roles", "ipam", "config", 0, "subnet"));
    expect(text(at(project, "services", "auth", "environment", "TT_TRUSTED_PROXIES"))).toBe(subnet);
    expect(readConfig({ TT_TRUSTED_PROXIES: environment("auth").TT_TRUSTED_PROXIES }).trustedProxies).toHaveLength(1);
    const members = entries(at(project, "services")).filter(([, service]) =>
      compose.networksOf(service).includes("roles"),
    );
    expect(members.map(([name]) => name)).toEqual(["auth", "task"]);
    const [alias] = list(at(project, "services", "auth", "networks", "roles", "aliases"));
    expect(environment("task").AUTH_URL).toBe(`http://${text(alias)}:3000`);
  });

  test("the operator's settings reach each role that has a use for them, and are left out while they are not set", () => {
    const project = compose.readProject([base]);
    const traces = Object.keys(variables.properties).filter((name) => name.startsWith("OTEL_"));
    const web = ["TT_PUBLIC_URL", "TT_ALLOWED_ORIGINS", "TT_HSTS"];
    const webhooks = "TT_WEBHOOK_ALLOW";
    const taken = ["auth", "task", "consumer", "tracker"].map((name) => compose.passedOn(project, name).sort());
    const wanted = [
      [...web, ...traces, "TT_REGISTRATION", "TT_LOGIN_DELAY"],
      [...web, ...traces, "TT_TRUSTED_PROXIES", "TT_PAGE", webhooks],
      [...traces, "TT_PUBLIC_URL", webhooks],
      ["TT_PUBLIC_URL"],
    ];
    expect(taken).toEqual(wanted.map((names) => names.sort()));
  });

  test("a link that the operator's tools print without a public URL leads to the published port", () => {
    const project = compose.readProject([base]);
    const env = compose.environmentOf(project, "tracker");
    const [published] = list(at(service(project, "edge"), "ports")).map(text);
    expect(published).toBe(`127.0.0.1:${text(at(service(project, "tracker"), "environment", "PORT"))}:3000`);
    expect(readConfig(withSecretFiles(env)).port).toBe(3_000);
    // Whatever that port is, it is not taken for the admin port.
    expect(() => readConfig(withSecretFiles({ ...env, PORT: "3001" }))).not.toThrow();
  });

  test("the operator's tools have all servers that the roles have, and are not started with them", () => {
    const project = compose.readProject([base]);
    const ofRoles = Object.assign({}, ...k8s.roles.map((role) => compose.environmentOf(project, role)));
    const { ROLE: _role, AUTH_URL: _url, TT_TRUSTED_PROXIES: _task, ...others } = ofRoles as Record<string, string>;
    const { TT_WEBHOOK_KEY_FILE: _webhooks, ...servers } = others;
    const { PORT: _port, ADMIN_PORT: _admin, ...ofTools } = compose.environmentOf(project, "tracker");
    expect(ofTools).toEqual(servers);
    expect(list(at(service(project, "tracker"), "profiles")).map(text)).toEqual(["tracker"]);
    expect(list(at(service(project, "tracker"), "entrypoint")).map(text)).toEqual(["tracker"]);
  });

  test("two ports are published, and three more with the tools", () => {
    expect(compose.publishedPorts(compose.readProject([base]))).toEqual(["127.0.0.1:3000", "127.0.0.1:3010"]);
    expect(compose.publishedPorts(compose.readProject(projects["with the tools"] ?? [])).sort()).toEqual(
      ["3000", "3010", "3020", "3021", "3022"].map((port) => `127.0.0.1:${port}`),
    );
  });

  test("own passwords are taken for each one that is made", () => {
    const project = compose.readProject([base, override("secrets")]);
    const made = list(at(service(project, "secrets"), "volumes")).flatMap(
      (each) => /^\w+-secret:\/secrets\/(\w+)$/.exec(text(each))?.[1] ?? [],
    );
    expect(made.sort()).toEqual(["mongo", "postgres", "redis", "webhook"]);
    expect(
      list(at(service(project, "secrets"), "secrets"))
        .map(text)
        .sort(),
    ).toEqual(made);
    expect(
      entries(at(project, "secrets"))
        .map(([name]) => name)
        .sort(),
    ).toEqual(made);
  });
});

describe("the image", () => {
  const dockerfile = readFileSync(join(root, "deploy", "Dockerfile"), "utf8").replaceAll("\\\n", " ");
  const lines = (word: string) =>
    [...dockerfile.matchAll(new RegExp(`^${word} +(.*)$`, "gm"))].map(([, rest = ""]) => rest.trim());

  test("is made of the Bun that the project is tested with, in every stage", () => {
    expect(lines("FROM").map((each) => each.split(" ")[0])).toEqual(
      Array(3).fill(`oven/bun:${manifest.devDependencies.bun}-slim`),
    );
  });
  test("has each folder for which compose makes a password, for the user who makes it", () => {
    const compose = readFileSync(join(root, "docker-compose.yml"), "utf8");
    const mounted = new Set([...compose.matchAll(/-secret:(\/secrets\/\w+)/g)].map(([, folder = ""]) => folder));
    const made = lines("RUN").flatMap(
      (line) => /install -d -o bun -g bun -m 0755 ([^&]*)/.exec(line)?.[1]?.trim().split(" ") ?? [],
    );
    expect(made.sort()).toEqual([...mounted].sort());
  });
  test("has the locked packages without those for development, and no build tools", () => {
    expect(dockerfile).toContain("bun install --frozen-lockfile --production");
    expect(dockerfile).not.toMatch(/apt-get|apk |curl |wget /);
  });
  test("has the program and nothing else of the checkout", () => {
    const final = dockerfile.split(/^FROM .*$/m).at(-1) ?? "";
    const copied = [...final.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, from = ""]) => from.split(" "));
    const client = "clients/typescript/src";
    expect(copied).toEqual([
      "package.json",
      "tsconfig.json",
      "runtime",
      "actors",
      client,
      "web/build.ts",
      "web/files.ts",
    ]);
    const ignored = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");
    expect(ignored.find((line) => line !== "" && !line.startsWith("#"))).toBe("*");
    expect(ignored).toContain("**/*.test.ts");
  });
  test("runs as the user bun, ends on SIGTERM and tells whether it is ready", () => {
    expect(lines("USER")).toEqual(["bun"]);
    expect(lines("STOPSIGNAL")).toEqual(["SIGTERM"]);
    expect(lines("ENTRYPOINT")).toEqual(['["bun", "actors/main.ts"]']);
    expect(lines("RUN").at(-1)).toMatch(
      /exec bun \/home\/bun\/app\/actors\/tracker\/main.ts "\$@".* > \/usr\/local\/bin\/tracker\b/,
    );
    expect(lines("HEALTHCHECK")[0]).toContain("/readyz");
  });
});

describe.skipIf("missing" in renderer)(`Kubernetes${skipped(renderer)}`, () => {
  const rendered: Record<string, string> = {};
  beforeAll(async () => {
    if (!("had" in renderer)) return;
    cpSync(join(root, "deploy"), join(folder, "deploy"), {
      recursive: true,
      filter: (path) => !path.endsWith("dev/secrets"),
    });
    const overlays = join(folder, "deploy", "k8s", "overlays");
    expect(Bun.spawnSync(["sh", join(overlays, "dev", "secrets.sh")]).exitCode).toBe(0);
    // As an operator whose backends have certificates of an authority of their own.
    mkdirSync(join(overlays, "own-ca"));
    const ownCa = { resources: ["../../jobs/prod"], components: ["../../components/own-ca"] };
    writeFileSync(join(overlays, "own-ca", "kustomization.yaml"), JSON.stringify(ownCa));
    mkdirSync(join(overlays, "traced"));
    const traced = { resources: ["../prod"], components: ["../../components/traces"] };
    writeFileSync(join(overlays, "traced", "kustomization.yaml"), JSON.stringify(traced));
    for (const name of ["dev", "prod", "own-ca", "traced"]) rendered[name] = await renderer.had(join(overlays, name));
    for (const name of ["dev", "prod"])
      rendered[`jobs/${name}`] = await renderer.had(join(folder, "deploy", "k8s", "jobs", name));
  }, toolsDeadlineMs);
  const manifests = (overlay: string): Value[] => list(Bun.YAML.parse(rendered[overlay] ?? "") as Value);
  const outside: Record<string, string[]> = { dev: [], prod: ["backends"] };

  describe.skipIf("missing" in validator)(`by schema${skipped(validator)}`, () => {
    const inFile = (yaml: string): string => {
      const path = join(folder, `${crypto.randomUUID()}.yaml`);
      writeFileSync(path, yaml);
      return path;
    };
    test.each(["dev", "prod", "jobs/dev", "jobs/prod", "own-ca", "traced"])(
      "%s has the form of Kubernetes' own resources and no unknown field",
      async (overlay) => {
        const said = await validate.manifests(inFile(rendered[overlay] ?? ""));
        const passed = said.split("\n").filter((line) => line.startsWith("INFO")).length;
        const foreign = manifests(overlay).filter((each) => text(at(each, "apiVersion")).startsWith("keda.sh/")).length;
        expect(passed).toBe(manifests(overlay).length - foreign);
        expect(foreign).toBe(overlay.endsWith("dev") ? 0 : 2);
      },
    );
    test("an unknown field is found", async () => {
      const broken = (rendered.prod ?? "").replace("readOnlyRootFilesystem", "readOnlyRootFileSystem");
      await expect(validate.manifests(inFile(broken))).rejects.toThrow();
    });
  });

  const log = {
    topic: spaceNamesIn({ namespace: "" }).commands,
    group: spaceNamesIn({ namespace: "" }).writers,
    partitions: variables.properties.TT_PARTITIONS.default,
  };
  const breaksTask = (path: (string | number)[], to: Value | undefined) => (all: Value[]) =>
    put(k8s.named(all, "Deployment", "task"), ["spec", "template", "spec", ...path], to);
  const removes = (kind: string, name: string) => (all: Value[]) => {
    const gone = k8s.named(all, kind, name);
    expect(gone).toBeDefined();
    all.splice(all.indexOf(gone ?? null), 1);
  };
  type Rule = {
    rule: string;
    faults: (all: Value[], overlay: string) => string[];
    breaks: (all: Value[]) => void;
    /** Only there; everywhere unless given. */
    only?: string;
  };
  const rules: Rule[] = [
    {
      rule: "everything runs as another user than root",
      faults: k8s.everyWorkload(k8s.isNotRoot),
      breaks: breaksTask(["securityContext", "runAsNonRoot"], false),
    },
    {
      rule: "everything meets the restricted standard: no capabilities, no escalation, the runtime's seccomp profile",
      faults: k8s.everyWorkload(k8s.isRestricted),
      breaks: breaksTask(["containers", 0, "securityContext", "capabilities", "drop"], ["NET_RAW"]),
    },
    {
      rule: "the namespace enforces that",
      faults: (all) =>
        at(k8s.named(all, "Namespace", "task-tracker"), "metadata", "labels", "pod-security.kubernetes.io/enforce") ===
        "restricted"
          ? []
          : ["Namespace task-tracker"],
      breaks: (all) => put(k8s.named(all, "Namespace", "task-tracker"), ["metadata", "labels"], {}),
    },
    {
      rule: "the roles have a read-only root",
      faults: k8s.everyRole(k8s.hasReadOnlyRoot),
      breaks: breaksTask(["containers", 0, "securityContext", "readOnlyRootFilesystem"], undefined),
    },
    {
      rule: "nobody has a token of the cluster, or variables made of services",
      faults: k8s.everyWorkload(k8s.hasNoToken),
      breaks: breaksTask(["automountServiceAccountToken"], undefined),
    },
    {
      rule: "start, life and readiness of a role are asked apart",
      faults: k8s.everyRole(k8s.hasDistinctProbes),
      breaks: breaksTask(["containers", 0, "livenessProbe", "httpGet", "path"], "/readyz"),
    },
    {
      rule: "everything has all three probes",
      faults: k8s.everyWorkload(k8s.hasProbes),
      breaks: breaksTask(["containers", 0, "startupProbe"], undefined),
    },
    {
      rule: "a role is given time: preStop, 15 s to drain, and a reserve",
      faults: k8s.everyRole(k8s.stopsInOrder),
      breaks: breaksTask(["terminationGracePeriodSeconds"], 20),
    },
    {
      rule: "everything says what it needs and has a limit of memory",
      faults: k8s.everyWorkload(k8s.hasResources),
      breaks: breaksTask(["containers", 0, "resources", "limits"], { cpu: "1" }),
    },
    {
      rule: "the pods of a role are spread over zones and nodes",
      faults: k8s.everyRole(k8s.isSpread),
      breaks: breaksTask(["topologySpreadConstraints", 0, "labelSelector", "matchLabels", "task-tracker/role"], "auth"),
    },
    {
      rule: "every image is one exact version",
      faults: k8s.everyWorkload(k8s.hasExactImage),
      breaks: breaksTask(["containers", 0, "image"], "registry.example.com/task-tracker:latest"),
    },
    {
      rule: "our image is of this version",
      faults: k8s.everyRole((_pod, container) =>
        text(at(container, "image")).endsWith(`task-tracker:${manifest.version}`),
      ),
      breaks: breaksTask(["containers", 0, "image"], "registry.example.com/task-tracker:0.0.1"),
    },
    {
      rule: "each role has a budget that lets one pod go at a time",
      faults: k8s.budgets,
      breaks: removes("PodDisruptionBudget", "consumer"),
    },
    {
      rule: "auth and task are scaled by load, from two on",
      faults: k8s.scalers,
      breaks: (all) => put(k8s.named(all, "HorizontalPodAutoscaler", "task"), ["spec", "minReplicas"], 1),
    },
    {
      rule: "consumer is scaled by the lag of its group, up to the partitions",
      faults: (all) => k8s.lagScaler(all, log),
      breaks: (all) => put(k8s.named(all, "ScaledObject", "consumer"), ["spec", "maxReplicaCount"], 100),
      only: "prod",
    },
    {
      rule: "all selectors and targets select something",
      faults: k8s.selections,
      breaks: removes("Deployment", "consumer"),
    },
    {
      rule: "each ConfigMap and Secret is there under the name of its content, or made outside",
      faults: (all, overlay) => k8s.references(all, outside[overlay] ?? []),
      breaks: breaksTask(["containers", 0, "envFrom", 0, "configMapRef", "name"], "tracker"),
    },
    {
      rule: "what no policy names is refused, in both directions",
      faults: defaultDeny,
      breaks: (all) => put(k8s.named(all, "NetworkPolicy", "default-deny"), ["spec", "policyTypes"], ["Ingress"]),
    },
    {
      rule: "the roles take their environment as it is",
      faults: (all) =>
        k8s.roles.flatMap((name) => {
          const env = environmentOf(all, name);
          expect(readConfig(withSecretFiles(env)).role as string).toBe(name);
          return Object.keys(env).filter((each) => !isKnown(each));
        }),
      breaks: (all) =>
        put(
          k8s.named(all, "Deployment", "task"),
          ["spec", "template", "spec", "containers", 0, "env", 1, "name"],
          "AUTH",
        ),
    },
    {
      rule: "each secret that a role reads is mounted for it, and no other",
      faults: (all) =>
        k8s.roles.filter((name) => {
          const volumes = list(at(k8s.podOf(k8s.named(all, "Deployment", name)), "volumes"));
          const items = volumes.flatMap((volume) => list(at(volume, "secret", "items")));
          const mounted = items.map((item) => `/secrets/${text(at(item, "path"))}`).sort();
          const read = entries(environmentOf(all, name)).filter(([key]) => key.endsWith("_FILE"));
          return !Bun.deepEquals(mounted, read.map(([, path]) => text(path)).sort());
        }),
      breaks: breaksTask(["volumes", 1, "secret", "items", 0, "path"], "mongo/secret"),
    },
    {
      rule: "no password stands in an environment",
      faults: (all) =>
        k8s.roles.flatMap((name) =>
          Object.entries(environmentOf(all, name))
            .filter(([key, value]) => /PASSWORD$/.test(key) || /:\/\/[^/@]*:[^/@]*@/.test(value))
            .map(([key]) => `${name}: ${key}`),
        ),
      breaks: (all) =>
        put(k8s.named(all, "Deployment", "task"), ["spec", "template", "spec", "containers", 0, "env", 1], {
          name: "REDIS_URL",
          value: "redis://:secret@redis:6379",
        }),
    },
    {
      rule: "the ingress hands auth's paths to auth, and all others to task",
      faults: (all) =>
        [...authPaths, ...otherPaths].filter((path) => k8s.routed(all, path) !== (ownedByAuth(path) ? "auth" : "task")),
      breaks: (all) =>
        put(k8s.named(all, "Ingress", "task-tracker"), ["spec", "rules", 0, "http", "paths", 4, "path"], "/regista"),
    },
  ];
  for (const overlay of ["dev", "prod"]) {
    test.each(rules.filter(({ only }) => only === undefined || only === overlay))(`${overlay}: $rule`, ({ faults }) => {
      expect(faults(manifests(overlay), overlay)).toEqual([]);
    });
  }
  test.each(rules)("the rule can fail: $rule", ({ faults, breaks }) => {
    const all = manifests("prod");
    breaks(all);
    let found: string[];
    try {
      found = faults(all, "prod");
    } catch (error) {
      // A role that refuses its environment is a fault too.
      found = [String(error)];
    }
    expect(found).not.toEqual([]);
  });

  const authPaths = [
    ...[
      "/v1/auth",
      "/v1/auth/login",
      "/v1/auth/tokens/1",
      "/v1/users",
      "/auth/token",
      "/auth/me",
      "/users/me",
      "/register",
    ],
    ...["/login", "/refresh", "/logout", "/logout-all", "/verify", "/token", "/.well-known/jwks.json"],
  ];
  const otherPaths = [
    "/",
    "/v1/tasks",
    "/tasks/1",
    "/docs",
    "/health",
    "/openapi.json",
    "/v1/authors",
    "/tokens",
    "/usersx",
    "/v1/usersx",
  ];
  test("the paths tried are auth's and others", () => {
    expect([authPaths.filter((path) => !ownedByAuth(path)), otherPaths.filter(ownedByAuth)]).toEqual([[], []]);
  });

  function environmentOf(all: Value[], name: string, kind = "Deployment"): Record<string, string> {
    const container = at(k8s.podOf(k8s.named(all, kind, name)), "containers", 0);
    const shared = list(at(container, "envFrom")).flatMap((from) =>
      entries(at(k8s.named(all, "ConfigMap", text(at(from, "configMapRef", "name"))), "data")),
    );
    const own = list(at(container, "env")).map((each): [string, Value] => [
      text(at(each, "name")),
      at(each, "value") ?? null,
    ]);
    return Object.fromEntries([...shared, ...own].map(([key, value]) => [key, text(value)]));
  }

  const controllers = ["ingress", "ingress-nginx", "traefik"];
  const within = {
    in: [
      ...controllers.flatMap((each) => [`${each} → auth:3000`, `${each} → task:3000`]),
      ...["auth", "task", "consumer"].map((each) => `monitoring → ${each}:3001`),
      "task → auth:3000",
    ],
    out: [
      "task → auth:3000",
      `consumer → 0.0.0.0/0 but ${["10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"].join(" ")}:443`,
      "consumer → 2000::/3:443",
    ],
  };
  const toBackends = [
    ...["auth → postgres:5432", "auth → redis:6379", "auth → kafka:9092"],
    ...["task", "consumer"].flatMap((each) => [
      `${each} → kafka:9092`,
      `${each} → mongo:27017`,
      `${each} → redis:6379`,
    ]),
    "mongo → mongo:27017",
  ];
  const networks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
  const outward = networks.flatMap((network) => [
    ...[5432, 6379, 9093].map((port) => `auth → ${network}:${port}`),
    ...["task", "consumer"].flatMap((each) => [9093, 27017, 6379].map((port) => `${each} → ${network}:${port}`)),
  ]);
  const toolsToBackends = ["postgres:5432", "redis:6379", "kafka:9092", "mongo:27017"].map(
    (each) => `tracker → ${each}`,
  );
  const toolsOutward = networks.flatMap((network) =>
    [5432, 6379, 9093, 27017].map((port) => `tracker → ${network}:${port}`),
  );
  const withoutNames = (all: string[]) => all.filter((each) => !each.endsWith(":53"));
  test("dev: exactly these edges are open, each on both sides", () => {
    expect(edges(manifests("dev"), "ingress")).toEqual([...within.in, ...toBackends].sort());
    expect(withoutNames(edges(manifests("dev"), "egress"))).toEqual([...within.out, ...toBackends].sort());
  });
  test("prod: exactly these edges are open", () => {
    expect(edges(manifests("prod"), "ingress")).toEqual([...within.in].sort());
    expect(withoutNames(edges(manifests("prod"), "egress"))).toEqual([...within.out, ...outward].sort());
  });
  test("the Job of the operator's tools reaches the backends and nothing else", () => {
    const ofTools = (all: string[]) => withoutNames(all).filter((each) => each.includes("tracker"));
    expect(ofTools(edges(manifests("jobs/dev"), "egress"))).toEqual(toolsToBackends.sort());
    expect(ofTools(edges(manifests("jobs/dev"), "ingress"))).toEqual(
      [...toolsToBackends, "monitoring → tracker:3001"].sort(),
    );
    expect(ofTools(edges(manifests("jobs/prod"), "egress"))).toEqual(toolsOutward.sort());
  });
  test("each way out of prod is named by the one thing that it leads to", () => {
    const ways = manifests("prod").filter((each) => text(at(each, "metadata", "name")).startsWith("out-to-"));
    const ports = ways.map((each) => [
      text(at(each, "metadata", "name")).slice("out-to-".length),
      list(at(each, "spec", "egress")).flatMap((rule) => list(at(rule, "ports")).map((port) => at(port, "port"))),
    ]);
    expect(Object.fromEntries(ports)).toEqual({
      ...{ postgres: [5432], redis: [6379], kafka: [9093], mongo: [27017] },
      receivers: [443],
    });
  });

  describe.each(["dev", "prod"])("the Job in %s", (overlay) => {
    const job = () => k8s.named(manifests(`jobs/${overlay}`), "Job", "tracker");
    const container = () => at(k8s.podOf(job()), "containers", 0);
    test("runs rebuild once, with the image of the roles, and is the only thing that its label selects", () => {
      const task = k8s.named(manifests(overlay), "Deployment", "task");
      expect(text(at(container(), "image"))).toBe(text(at(k8s.podOf(task), "containers", 0, "image")));
      expect([at(container(), "command"), at(container(), "args")]).toEqual([["tracker"], ["rebuild"]]);
      const labelled = manifests(`jobs/${overlay}`).filter(
        (each) => at(each, "metadata", "labels", "task-tracker/role") === "tracker",
      );
      expect(labelled.map((each) => at(each, "kind"))).toEqual(["Job"]);
    });
    test("is tried again when a server failed and not when it was refused", () => {
      expect(Number(at(job(), "spec", "backoffLimit"))).toBeGreaterThan(0);
      expect(at(job(), "spec", "podFailurePolicy", "rules", 0)).toMatchObject({
        action: "FailJob",
        onExitCodes: { containerName: "role", operator: "In", values: [2] },
      });
      expect(at(k8s.podOf(job()), "restartPolicy")).toBe("Never");
    });
    test("takes the roles' environment and every secret that it names, and is as restricted as they are", () => {
      const env = environmentOf(manifests(`jobs/${overlay}`), "tracker", "Job");
      const config = readConfig(withSecretFiles(env));
      expect([config.role, config.kafka, config.mongo, config.database]).toEqual([
        "all",
        expect.anything(),
        expect.anything(),
        expect.anything(),
      ]);
      const items = list(at(k8s.podOf(job()), "volumes")).flatMap((volume) => list(at(volume, "secret", "items")));
      const read = entries(env).flatMap(([key, path]) => (key.endsWith("_FILE") ? [text(path)] : []));
      expect(items.map((item) => `/secrets/${text(at(item, "path"))}`).sort()).toEqual(read.sort());
      for (const holds of [k8s.isNotRoot, k8s.isRestricted, k8s.hasReadOnlyRoot, k8s.hasNoToken, k8s.hasResources])
        expect(holds(k8s.podOf(job()), container(), job())).toBe(true);
      expect(k8s.references(manifests(`jobs/${overlay}`), outside[overlay] ?? [])).toEqual([]);
    });
  });

  test("an own certificate authority is given to every role, to the Job and to KEDA", () => {
    const all = manifests("own-ca");
    const workloads = [...k8s.roles.map((role) => ["Deployment", role]), ["Job", "tracker"]] as const;
    for (const [kind = "", name = ""] of workloads) {
      const env = environmentOf(all, name, kind);
      const items = list(at(k8s.podOf(k8s.named(all, kind, name)), "volumes", 1, "secret", "items"));
      expect(items).toContainEqual({ key: "ca.crt", path: env.TLS_CA_FILE?.replace("/secrets/", "") ?? "" });
    }
    expect(list(at(k8s.named(all, "TriggerAuthentication", "kafka"), "spec", "secretTargetRef"))).toContainEqual({
      parameter: "ca",
      name: "backends",
      key: "ca.crt",
    });
  });

  test("prod names the operator's settings for every role and the tools, and its public URL is where the ingress is", () => {
    const host = text(at(k8s.named(manifests("prod"), "Ingress", "task-tracker"), "spec", "rules", 0, "host"));
    const all = [
      ...k8s.roles.map((role) => environmentOf(manifests("prod"), role)),
      environmentOf(manifests("jobs/prod"), "tracker", "Job"),
    ];
    const names = ["TT_PUBLIC_URL", "TT_ALLOWED_ORIGINS", "TT_HSTS", "TT_REGISTRATION", "TT_LOGIN_DELAY"];
    for (const env of all) {
      expect(names.filter((name) => env[name] === undefined)).toEqual([]);
      expect(env.TT_PUBLIC_URL).toBe(`https://${host}`);
    }
  });

  test("with traces every role knows the collector and may reach it, and nothing else is opened", () => {
    const all = manifests("traced");
    const { host, port } = new URL(environmentOf(all, "task").OTEL_EXPORTER_OTLP_ENDPOINT ?? "");
    expect(host.split(/[.:]/)[1]).toBe("monitoring");
    for (const role of k8s.roles) {
      const config = readConfig(withSecretFiles(environmentOf(all, role)));
      expect(config.tracing).toMatchObject({ endpoint: `http://${host}` });
    }
    const toCollector = k8s.roles.map((role) => `${role} → monitoring:${port}`);
    expect(edges(all, "egress")).toEqual([...edges(manifests("prod"), "egress"), ...toCollector].sort());
    expect(edges(all, "ingress")).toEqual(edges(manifests("prod"), "ingress"));
    expect(k8s.references(all, outside.prod ?? [])).toEqual([]);
  });

  test.each(["dev", "prod"])(
    "%s names the class of its ingress, which buffers no streams and lets whole batches in",
    (overlay) => {
      const ingress = k8s.named(manifests(overlay), "Ingress", "task-tracker");
      expect(at(ingress, "spec", "ingressClassName")).toBe("nginx");
      const annotation = (name: string) =>
        text(at(ingress, "metadata", "annotations", `nginx.ingress.kubernetes.io/${name}`));
      expect(annotation("proxy-buffering")).toBe("off");
      expect(Number.parseInt(annotation("proxy-body-size"), 10) * 2 ** 20).toBeGreaterThan(2 * 2 ** 20);
      expect(Number(annotation("proxy-read-timeout"))).toBeGreaterThan(15);
    },
  );

  test.each(["dev", "prod"])("%s tells Prometheus where each role's figures are", (overlay) => {
    for (const role of k8s.roles) {
      const template = at(k8s.named(manifests(overlay), "Deployment", role), "spec", "template");
      const port = list(at(template, "spec", "containers", 0, "ports")).find((each) => at(each, "name") === "admin");
      expect(at(template, "metadata", "annotations")).toEqual({
        "prometheus.io/scrape": "true",
        "prometheus.io/port": text(at(port, "containerPort")),
        "prometheus.io/path": "/metrics",
      });
    }
  });

  test("an edge too many is seen", () => {
    const all = manifests("prod");
    put(k8s.named(all, "NetworkPolicy", "to-task"), ["spec", "ingress", 0, "from"], undefined);
    expect(edges(all, "ingress")).toContain("anywhere → task:3000");
  });

  test("no Secret is in the checkout, and the prod overlay makes none", () => {
    const files = readdirSync(join(root, "deploy", "k8s"), { recursive: true, encoding: "utf8" });
    const manifestFiles = files.filter((path) => path.endsWith(".yaml"));
    expect(manifestFiles.length).toBeGreaterThan(10);
    expect(
      manifestFiles.filter((path) => /^kind: Secret$/m.test(readFileSync(join(root, "deploy", "k8s", path), "utf8"))),
    ).toEqual([]);
    expect(manifests("prod").filter((each) => at(each, "kind") === "Secret")).toEqual([]);
    const listed = Bun.spawnSync(["git", "ls-files", "deploy/k8s/overlays/dev/secrets"], { cwd: root });
    expect(listed.stdout.toString()).toBe("");
  });
});

describe("the scripts of the containers", () => {
  const scripts = readdirSync(join(root, "deploy", "compose")).filter((name) => name.endsWith(".sh"));
  test.each(scripts)("%s is well-formed for the shell that runs it", (name) => {
    const path = join(root, "deploy", "compose", name);
    const [, shell = ""] = /^#!\/bin\/(sh|bash)\n/.exec(readFileSync(path, "utf8")) ?? [];
    expect(Bun.spawnSync([shell, "-n", path]).exitCode).toBe(0);
  });

  /** Runs secrets.sh on a folder as the volumes are mounted. */
  function secrets(home: string, given: Readonly<Record<string, string>> = {}) {
    for (const name of ["postgres", "mongo"]) mkdirSync(join(home, "secrets", name), { recursive: true });
    rmSync(join(home, "given"), { recursive: true, force: true });
    mkdirSync(join(home, "given"));
    for (const [name, value] of Object.entries(given)) writeFileSync(join(home, "given", name), value);
    const script = join(root, "deploy", "compose", "secrets.sh");
    const { exitCode, stderr } = Bun.spawnSync(["sh", script, join(home, "secrets"), join(home, "given")]);
    const kept = (name: string) => {
      const path = join(home, "secrets", name, "password");
      return existsSync(path) ? readFileSync(path, "utf8") : undefined;
    };
    return { exitCode, stderr: stderr.toString(), postgres: kept("postgres"), mongo: kept("mongo") };
  }
  const home = () => mkdtempSync(join(folder, "home-"));

  test("passwords are random, of 32 bytes, and stay as they are", () => {
    const here = home();
    const first = secrets(here);
    expect(first.postgres).toMatch(/^[0-9a-f]{64}$/);
    expect(first.mongo).toMatch(/^[0-9a-f]{64}$/);
    expect(first.mongo).not.toBe(first.postgres);
    expect(secrets(here)).toEqual(first);
  });
  test("a given password is taken, the others are made", () => {
    const here = home();
    const first = secrets(here, { postgres: "my-own.1\n" });
    expect([first.exitCode, first.postgres]).toEqual([0, "my-own.1"]);
    expect(first.mongo).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets(here, { postgres: "my-own.1" })).toEqual(first);
  });
  test("another password than the one in use is refused, and its text is not told", () => {
    const here = home();
    const { postgres } = secrets(here);
    const second = secrets(here, { postgres: "another" });
    expect([second.exitCode, second.postgres]).toEqual([1, postgres]);
    expect(second.stderr).toStartWith("Cannot take the given password of postgres: ");
    expect(second.stderr).not.toContain("another\n");
  });
  test.each(["", 'quo"te', "two words", "back\\slash"])("%j is refused as a password", (given) => {
    const said = secrets(home(), { mongo: given });
    expect([said.exitCode, said.mongo]).toEqual([1, undefined]);
  });
});

describe("the edge of the compose file", () => {
  const open: (Server | Edge)[] = [];
  afterAll(async () => {
    for (const each of open) await ("stop" in each ? each.stop() : new Promise((resolve) => each.close(resolve)));
  });
  /** A container by its address: it answers each line with its name. Loopback has many addresses. */
  async function container(address: string, port = 0): Promise<{ port: number; sockets: Set<Socket>; server: Server }> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket)).on("error", () => {});
      socket.on("data", () => socket.write(`${address}\n`));
    });
    await new Promise<void>((resolve) => server.listen(port, address, resolve));
    open.push(server);
    return { port: (server.address() as { port: number }).port, sockets, server };
  }
  async function start(toPort: number, addresses: () => string[]): Promise<{ port: number; edge: Edge }> {
    const running = await edge("127.0.0.1", [{ port: 0, toPort, addresses: async () => addresses() }]);
    open.push(running);
    return { port: running.ports[0] ?? 0, edge: running };
  }
  type Client = { socket: Socket; said: () => string; ask: () => Promise<string>; isClosed: () => boolean };
  function client(port: number): Client {
    let said = "";
    let closed = false;
    const socket = dial({ host: "127.0.0.1", port });
    socket.on("data", (part) => (said += String(part))).on("error", () => {});
    socket.on("close", () => (closed = true));
    const ask = async () => {
      const before = said.length;
      socket.write("?\n");
      await poll("an answer came", 60_000, () => said.length > before || closed);
      return said.slice(before).trim();
    };
    return { socket, said: () => said, ask, isClosed: () => closed };
  }

  test("connections are shared out evenly, and each stays where it is", async () => {
    const one = await container("127.0.0.1");
    await container("127.0.0.2", one.port);
    const { port } = await start(one.port, () => ["127.0.0.1", "127.0.0.2"]);
    const clients: Client[] = [];
    const answers: string[] = [];
    for (let n = 0; n < 6; n++) {
      const each = client(port);
      clients.push(each);
      answers.push(await each.ask());
    }
    expect(answers.sort()).toEqual([...Array(3).fill("127.0.0.1"), ...Array(3).fill("127.0.0.2")]);
    expect(await clients[0]?.ask()).toBe(await clients[0]?.ask());
    for (const each of clients) each.socket.destroy();
  });

  test("one that does not take connections is passed over, and its own are closed", async () => {
    const one = await container("127.0.0.1");
    const two = await container("127.0.0.3", one.port);
    const { port } = await start(one.port, () => ["127.0.0.1", "127.0.0.3"]);
    const clients = [client(port), client(port)];
    for (const each of clients) await each.ask();
    two.server.close();
    for (const socket of two.sockets) socket.destroy();
    await poll(
      "the client of the dead one is told",
      60_000,
      () => clients.filter((each) => each.isClosed()).length === 1,
    );
    const later = [client(port), client(port), client(port)];
    for (const each of later) expect(await each.ask()).toBe("127.0.0.1");
    for (const each of [...clients, ...later]) each.socket.destroy();
  });

  test("while there is none, connections wait, and find the one that comes", async () => {
    const gone = await container("127.0.0.4");
    await new Promise((resolve) => gone.server.close(resolve));
    const { port } = await start(gone.port, () => ["127.0.0.4"]);
    const early = client(port);
    const answer = early.ask();
    await poll("it is connected", 60_000, () => early.socket.readyState === "open");
    await container("127.0.0.4", gone.port);
    expect(await answer).toBe("127.0.0.4");
    early.socket.destroy();
  });

  test("a stop closes connections at rest, lets those under way finish, and answers those that wait with 503", async () => {
    const one = await container("127.0.0.1");
    let addresses = ["127.0.0.1"];
    const { port, edge: running } = await start(one.port, () => addresses);
    const resting = client(port);
    await resting.ask();
    const asking = client(port);
    await asking.ask();
    // An upstream that takes its time: the answer comes when the stop is under way.
    const last = [...one.sockets].at(-1);
    last?.removeAllListeners("data");
    asking.socket.write("slow?\n");
    await new Promise<void>((resolve) => last?.once("data", () => resolve()));
    addresses = [];
    const waiting = client(port);
    waiting.socket.write("?\n");
    await poll("it is connected", 60_000, () => waiting.socket.readyState === "open");
    const stopped = running.stop();
    await poll("the one at rest is closed", 60_000, resting.isClosed);
    expect(asking.isClosed()).toBe(false);
    last?.write("late but whole\n");
    await stopped;
    await poll("all are closed", 60_000, () => asking.isClosed() && waiting.isClosed());
    expect(asking.said()).toEndWith("late but whole\n");
    expect(waiting.said()).toStartWith("HTTP/1.1 503 ");
    expect(waiting.said()).toContain('"code":"overloaded"');
  });

  test("a name is asked for anew, though the last answer says that it holds for ten minutes", async () => {
    let address = [127, 0, 0, 5];
    const names = createSocket("udp4");
    names.on("message", (query, from) => {
      const head = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
      // The question ends with its type and class, after the empty label.
      const question = query.subarray(12, query.indexOf(0, 12) + 5);
      const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4, ...address]);
      names.send(Buffer.concat([head, question, answer]), from.port, from.address);
    });
    await new Promise<void>((resolve) => names.bind(0, "127.0.0.1", resolve));
    const { addresses } = readRoute("3000=task:3000", () => {
      const resolver = new Resolver();
      resolver.setServers([`127.0.0.1:${names.address().port}`]);
      return resolver;
    });
    expect(await addresses()).toEqual(["127.0.0.5"]);
    address = [127, 0, 0, 6];
    await poll("the new address is found", 60_000, async () => (await addresses())[0] === "127.0.0.6");
    names.close();
  }, 120_000);

  test("a route is read from its text, and what is none is refused", () => {
    expect(readRoute("3010=auth:3000")).toMatchObject({ port: 3010, toPort: 3000 });
    expect(() => readRoute("auth:3000")).toThrow('Cannot read the route "auth:3000"');
  });
});
