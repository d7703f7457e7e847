/** Rules of ours for the rendered manifests. Each takes all of them and tells what is wrong, one line each. */
import { at, entries, list, text, type Value } from "./value.ts";

export const roles = ["auth", "task", "consumer"];
/** How long a process of ours may take to stop in order. */
const drainS = 15;

export const named = (all: readonly Value[], kind: string, name: string): Value | undefined =>
  all.find((each) => at(each, "kind") === kind && at(each, "metadata", "name") === name);
const ofKind = (all: readonly Value[], kind: string) => all.filter((each) => at(each, "kind") === kind);
export const podOf = (workload: Value | undefined): Value | undefined => at(workload, "spec", "template", "spec");
const labelsOf = (workload: Value | undefined) => at(workload, "spec", "template", "metadata", "labels");
const workloads = (all: readonly Value[]) => ["Deployment", "StatefulSet", "Job"].flatMap((kind) => ofKind(all, kind));
const nameOf = (each: Value | undefined) => `${text(at(each, "kind"))} ${text(at(each, "metadata", "name"))}`;

type Test = (pod: Value | undefined, container: Value | undefined, workload: Value | undefined) => boolean;
const failing = (of: readonly (Value | undefined)[], holds: Test): string[] =>
  of.filter((each) => !holds(podOf(each), at(podOf(each), "containers", 0), each)).map(nameOf);

/** The rule holds for each of the three roles. */
export const everyRole = (holds: Test) => (all: readonly Value[]) => [
  ...roles.filter((role) => named(all, "Deployment", role) === undefined).map((role) => `no Deployment ${role}`),
  ...failing(
    roles.map((role) => named(all, "Deployment", role)).filter((each) => each !== undefined),
    holds,
  ),
];
/** The rule holds for the backends too, where they are in the cluster. */
export const everyWorkload = (holds: Test) => (all: readonly Value[]) => failing(workloads(all), holds);

export const isNotRoot: Test = (pod) =>
  at(pod, "securityContext", "runAsNonRoot") === true && Number(at(pod, "securityContext", "runAsUser") ?? 0) > 0;

export const isRestricted: Test = (pod, container) =>
  at(pod, "securityContext", "seccompProfile", "type") === "RuntimeDefault" &&
  at(container, "securityContext", "allowPrivilegeEscalation") === false &&
  Bun.deepEquals(at(container, "securityContext", "capabilities"), { drop: ["ALL"] }) &&
  [at(pod, "hostNetwork"), at(pod, "hostPID"), at(container, "securityContext", "privileged")].every((each) => !each);

export const hasReadOnlyRoot: Test = (_pod, container) =>
  at(container, "securityContext", "readOnlyRootFilesystem") === true;

export const hasNoToken: Test = (pod) =>
  at(pod, "automountServiceAccountToken") === false && at(pod, "enableServiceLinks") === false;

/** Started and alive is not the same as able: only readiness may look at what the role depends on. */
export const hasDistinctProbes: Test = (_pod, container) => {
  const path = (probe: string) => at(container, probe, "httpGet", "path");
  const onAdmin = (probe: string) => at(container, probe, "httpGet", "port") === "admin";
  const start = Number(at(container, "startupProbe", "failureThreshold") ?? 3);
  return (
    path("startupProbe") === "/livez" &&
    path("livenessProbe") === "/livez" &&
    path("readinessProbe") === "/readyz" &&
    ["startupProbe", "livenessProbe", "readinessProbe"].every(onAdmin) &&
    start * Number(at(container, "startupProbe", "periodSeconds") ?? 10) >= 30
  );
};

export const hasProbes: Test = (_pod, container) =>
  ["startupProbe", "livenessProbe", "readinessProbe"].every((probe) => at(container, probe) !== undefined);

/** Long enough for preStop, the drain and some seconds more. */
export const stopsInOrder: Test = (pod, container) => {
  const [command, seconds] = list(at(container, "lifecycle", "preStop", "exec", "command")).map(text);
  const waitS = Number(seconds);
  const graceS = Number(at(pod, "terminationGracePeriodSeconds") ?? 30);
  return command === "sleep" && waitS > 0 && graceS > waitS + drainS;
};

export const hasResources: Test = (_pod, container) =>
  [
    at(container, "resources", "requests", "cpu"),
    at(container, "resources", "requests", "memory"),
    at(container, "resources", "limits", "memory"),
  ].every((each) => text(each) !== "");

export const isSpread: Test = (pod, _container, workload) => {
  const keys = list(at(pod, "topologySpreadConstraints"))
    .filter((each) => selects(at(each, "labelSelector"), labelsOf(workload)))
    .map((each) => text(at(each, "topologyKey")));
  return Bun.deepEquals(keys.sort(), ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]);
};

export const hasExactImage: Test = (_pod, container) =>
  /^[a-z0-9./-]+(:v?\d+\.\d+(\.\d+)?|@sha256:[0-9a-f]{64})$/.test(text(at(container, "image")));

/** Each role has one budget that lets exactly one pod go at a time. */
export function budgets(all: readonly Value[]): string[] {
  return roles.filter((role) => {
    const labels = labelsOf(named(all, "Deployment", role));
    const of = ofKind(all, "PodDisruptionBudget").filter((each) => selects(at(each, "spec", "selector"), labels));
    return of.length !== 1 || at(of[0], "spec", "maxUnavailable") !== 1;
  });
}

/** auth and task grow with their load. */
export function scalers(all: readonly Value[]): string[] {
  return ["auth", "task"].filter((role) => {
    const spec = at(named(all, "HorizontalPodAutoscaler", role), "spec");
    const fits = at(spec, "scaleTargetRef", "name") === role && Number(at(spec, "minReplicas")) >= 2;
    return !fits || at(named(all, "Deployment", role), "spec", "replicas") !== undefined;
  });
}

/** The consumers grow with the lag of their group, and not beyond the partitions. */
export function lagScaler(all: readonly Value[], log: { topic: string; group: string; partitions: number }): string[] {
  const spec = at(named(all, "ScaledObject", "consumer"), "spec");
  const trigger = at(spec, "triggers", 0, "metadata");
  const authentication = text(at(spec, "triggers", 0, "authenticationRef", "name"));
  const holds =
    at(spec, "scaleTargetRef", "name") === "consumer" &&
    at(spec, "triggers", 0, "type") === "kafka" &&
    at(trigger, "topic") === log.topic &&
    at(trigger, "consumerGroup") === log.group &&
    Number(at(trigger, "lagThreshold")) > 0 &&
    Number(at(spec, "minReplicaCount")) >= 1 &&
    Number(at(spec, "maxReplicaCount")) <= log.partitions &&
    named(all, "TriggerAuthentication", authentication) !== undefined;
  return holds ? [] : ["ScaledObject consumer"];
}

/** Which names are asked for and not there. A generated one has a hash; `outside` are those that are made elsewhere. */
export function references(all: readonly Value[], outside: readonly string[]): string[] {
  const made = [...ofKind(all, "ConfigMap"), ...ofKind(all, "Secret")].map((each) =>
    text(at(each, "metadata", "name")),
  );
  const asked = workloads(all).flatMap((each) => [
    ...list(at(podOf(each), "containers", 0, "envFrom")).map((from) => text(at(from, "configMapRef", "name"))),
    ...list(at(podOf(each), "volumes")).flatMap((volume) => [
      text(at(volume, "configMap", "name")),
      text(at(volume, "secret", "secretName")),
    ]),
  ]);
  return [...new Set(asked)]
    .filter((name) => name !== "" && !outside.includes(name))
    .filter((name) => !made.includes(name) || !/-[a-z0-9]{10}$/.test(name));
}

/** Selectors and targets that select nothing. */
export function selections(all: readonly Value[]): string[] {
  const pods = workloads(all).map(labelsOf);
  const selecting: [Value, Value | undefined][] = [
    ...ofKind(all, "Service").map((each): [Value, Value] => [
      each,
      { matchLabels: at(each, "spec", "selector") ?? null },
    ]),
    ...ofKind(all, "PodDisruptionBudget").map((each): [Value, Value | undefined] => [
      each,
      at(each, "spec", "selector"),
    ]),
    ...ofKind(all, "NetworkPolicy").map((each): [Value, Value | undefined] => [each, at(each, "spec", "podSelector")]),
  ];
  const targets = [...ofKind(all, "HorizontalPodAutoscaler"), ...ofKind(all, "ScaledObject")];
  return [
    ...selecting.filter(([, selector]) => !pods.some((labels) => selects(selector, labels))).map(([each]) => each),
    ...targets.filter(
      (each) => named(all, "Deployment", text(at(each, "spec", "scaleTargetRef", "name"))) === undefined,
    ),
  ].map(nameOf);
}

/** Kubernetes' label selectors: an empty one selects everything. */
export function selects(selector: Value | undefined, labels: Value | undefined): boolean {
  if (selector === undefined) return false;
  const equal = entries(at(selector, "matchLabels")).every(([key, value]) => at(labels, key) === value);
  return (
    equal &&
    list(at(selector, "matchExpressions")).every((each) => {
      const label = at(labels, text(at(each, "key")));
      if (at(each, "operator") === "Exists") return label !== undefined;
      return at(each, "operator") === "In" && label !== undefined && list(at(each, "values")).includes(label);
    })
  );
}

/** Where a request to that path of the ingress goes: the longest prefix, by whole path elements, wins. */
export function routed(all: readonly Value[], path: string): string {
  const paths = list(at(ofKind(all, "Ingress")[0], "spec", "rules", 0, "http", "paths"));
  const fits = (prefix: string) => prefix === "/" || path === prefix || path.startsWith(`${prefix}/`);
  const [best] = paths
    .filter((each) => at(each, "pathType") === "Prefix" && fits(text(at(each, "path"))))
    .sort((a, b) => text(at(b, "path")).length - text(at(a, "path")).length);
  const service = named(all, "Service", text(at(best, "backend", "service", "name")));
  const port = text(at(best, "backend", "service", "port", "name"));
  const known = list(at(service, "spec", "ports")).some((each) => at(each, "name") === port);
  return known ? text(at(service, "metadata", "name")) : "nowhere";
}
