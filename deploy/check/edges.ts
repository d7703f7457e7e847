/** Who may talk to whom, read from the network policies as lines such as "task → auth:3000". */
import { named, podOf, selects } from "./kubernetes.ts";
import { at, list, text, type Value } from "./value.ts";

/** Pods by their name, with their labels. */
function pods(all: readonly Value[]): { name: string; labels: Value | undefined }[] {
  return all
    .filter((each) => podOf(each) !== undefined)
    .map((each) => ({
      name: text(at(each, "metadata", "name")),
      labels: at(each, "spec", "template", "metadata", "labels"),
    }));
}

/** The pods, namespaces or networks that one entry of `from` or `to` stands for. */
function peers(all: readonly Value[], peer: Value): string[] {
  const network = text(at(peer, "ipBlock", "cidr"));
  const but = list(at(peer, "ipBlock", "except")).map(text);
  if (network !== "") return [but.length === 0 ? network : `${network} but ${but.join(" ")}`];
  const namespaces = at(peer, "namespaceSelector");
  if (namespaces === undefined)
    return pods(all)
      .filter(({ labels }) => selects(at(peer, "podSelector"), labels))
      .map(({ name }) => name);
  const one = text(at(namespaces, "matchLabels", "kubernetes.io/metadata.name"));
  const several = list(at(namespaces, "matchExpressions", 0, "values")).map(text);
  return one === "" && several.length === 0 ? ["any namespace"] : [...several, one].filter((name) => name !== "");
}

/** Each edge that the policies of one direction let through. */
export function edges(all: readonly Value[], direction: "ingress" | "egress"): string[] {
  const found = new Set<string>();
  const side = direction === "ingress" ? "from" : "to";
  for (const policy of all.filter((each) => at(each, "kind") === "NetworkPolicy")) {
    const selected = pods(all).filter(({ labels }) => selects(at(policy, "spec", "podSelector"), labels));
    for (const rule of list(at(policy, "spec", direction))) {
      const others = at(rule, side) === undefined ? ["anywhere"] : list(at(rule, side)).flatMap((p) => peers(all, p));
      const ports = at(rule, "ports") === undefined ? ["any"] : list(at(rule, "ports")).map((p) => text(at(p, "port")));
      for (const { name } of selected)
        for (const other of others)
          for (const port of ports)
            found.add(direction === "ingress" ? `${other} → ${name}:${port}` : `${name} → ${other}:${port}`);
    }
  }
  return [...found].sort();
}

/** Without it everything that no policy names would be open. */
export function defaultDeny(all: readonly Value[]): string[] {
  const spec = at(named(all, "NetworkPolicy", "default-deny"), "spec");
  const holds =
    Bun.deepEquals(at(spec, "podSelector"), {}) &&
    Bun.deepEquals(list(at(spec, "policyTypes")).map(text).sort(), ["Egress", "Ingress"]) &&
    at(spec, "ingress") === undefined &&
    at(spec, "egress") === undefined;
  return holds ? [] : ["NetworkPolicy default-deny"];
}
