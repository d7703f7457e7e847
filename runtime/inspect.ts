import type { ActorRecord } from "./actor-record.ts";
import type { ChildHandle } from "./child-handle.ts";
import { stackOf } from "./errors.ts";
import type { CountName, Phase, SharedTable } from "./shared-table.ts";
import type { Strategy } from "./supervisor.ts";
import type { SupervisorRunner } from "./supervisor-runner.ts";

/** One actor as it is now. */
export type ActorView = {
  readonly actor: string;
  readonly index: number;
  /** The group whose thread it shares. */
  readonly group?: string;
  readonly state: Phase;
  /** Times it was restarted, with its siblings or its supervisor too. */
  readonly restarts: number;
  readonly upSinceMs: number | undefined;
  /** Actors there, where there is one for each key. */
  readonly keys?: number;
  /** Messages that senders have placed and the actor has not settled. */
  readonly depth: number;
  readonly limit: number;
  /** What their bodies have, and may have, where the mailbox is bounded in bytes. */
  readonly bytes?: number;
  readonly bytesMax?: number;
  /** What it does right now. */
  readonly busy: { readonly kind: string; readonly sinceMs: number } | undefined;
  /** The oldest handler under way, whether it blocks the thread or waits for something. */
  readonly oldest: { readonly kind: string; readonly sinceMs: number } | undefined;
  readonly handledPerSecond: number;
  readonly counts: Readonly<Record<CountName, number>>;
  readonly lastError: { readonly name: string; readonly message: string; readonly stack: string } | undefined;
};

export type TreeView = {
  readonly supervisor: string;
  readonly strategy: Strategy;
  readonly intensity: number;
  readonly periodMs: number;
  readonly state: string;
  readonly children: readonly (ActorView | TreeView)[];
};

export function viewOf(runner: SupervisorRunner<ChildHandle>, sharedTable: SharedTable): TreeView {
  const { spec, state } = runner;
  return {
    supervisor: spec.name,
    strategy: spec.strategy,
    intensity: spec.intensity,
    periodMs: spec.periodMs,
    state: state.phase,
    // All that the tree has: what is temporary and over is forgotten by its supervisor, but not what became of its messages.
    children: [...runner.starts].flatMap(([id, start]): (ActorView | TreeView)[] => {
      if ("handle" in start) return start.handle.records.map((record) => actorView(record, start.handle, sharedTable));
      const below = runner.below.get(id);
      if (below !== undefined) return [viewOf(below, sharedTable)];
      const { name, strategy, intensity, periodMs } = start.tree;
      return [{ supervisor: name, strategy, intensity, periodMs, state: "new", children: [] }];
    }),
  };
}

function actorView(record: ActorRecord, handle: ChildHandle, sharedTable: SharedTable): ActorView {
  const { slot } = record;
  const { lastError } = handle;
  const state = sharedTable.phase(slot);
  return {
    actor: record.name,
    index: record.index,
    ...(handle.child.members.length === 0 ? {} : { group: handle.name }),
    state,
    restarts: Math.max(0, handle.starts - 1),
    upSinceMs: state === "up" ? handle.startedMs : undefined,
    ...(record.child.keyed === null ? {} : { keys: sharedTable.keys(slot) }),
    depth: sharedTable.depth(slot),
    limit: sharedTable.limit(slot),
    ...(sharedTable.room.max(slot) === 0
      ? {}
      : { bytes: sharedTable.room.used(slot), bytesMax: sharedTable.room.max(slot) }),
    busy: record.busy,
    oldest: record.oldest,
    handledPerSecond: record.rate,
    counts: { ...record.totals },
    lastError:
      lastError === undefined
        ? undefined
        : { name: lastError.name, message: lastError.message, stack: stackOf(lastError) },
  };
}

const actorsOf = (view: TreeView): ActorView[] =>
  view.children.flatMap((child) => ("actor" in child ? [child] : actorsOf(child)));

/** The same in Prometheus' text format. */
export function prometheusText(view: TreeView): string {
  const actors = actorsOf(view);
  const lines: string[] = [];
  const family = (
    name: string,
    type: "counter" | "gauge",
    help: string,
    samples: readonly [labels: Record<string, string>, value: number][],
  ) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of samples) {
      const text = Object.entries(labels).map(
        ([key, label]) => `${key}="${label.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
      );
      lines.push(`${name}{${text.join(",")}} ${value}`);
    }
  };
  const of = ({ actor, index }: ActorView) => ({ actor, index: String(index) });
  family(
    "actor_up",
    "gauge",
    "Whether the actor takes messages.",
    actors.map((actor) => [of(actor), actor.state === "up" ? 1 : 0]),
  );
  family(
    "actor_restarts_total",
    "counter",
    "Times the actor was restarted.",
    actors.map((actor) => [of(actor), actor.restarts]),
  );
  const keyed = actors.filter(({ keys }) => keys !== undefined);
  if (keyed.length > 0)
    family(
      "actor_keys",
      "gauge",
      "Actors there, where there is one for each key.",
      keyed.map((actor) => [of(actor), actor.keys ?? 0]),
    );
  family(
    "actor_mailbox_depth",
    "gauge",
    "Messages placed and not yet settled.",
    actors.map((actor) => [of(actor), actor.depth]),
  );
  family(
    "actor_mailbox_limit",
    "gauge",
    "Messages that the mailbox takes.",
    actors.map((actor) => [of(actor), actor.limit]),
  );
  const bounded = actors.filter(({ bytesMax }) => bytesMax !== undefined);
  if (bounded.length > 0) {
    family(
      "actor_mailbox_bytes",
      "gauge",
      "Bytes of the bodies of messages that are placed and not yet settled.",
      bounded.map((actor) => [of(actor), actor.bytes ?? 0]),
    );
    family(
      "actor_mailbox_bytes_limit",
      "gauge",
      "Bytes that the mailbox takes.",
      bounded.map((actor) => [of(actor), actor.bytesMax ?? 0]),
    );
  }
  family(
    "actor_messages_total",
    "counter",
    "Messages by what became of them; sent is the sum of the others, failed a part of handled.",
    actors.flatMap((actor) =>
      Object.entries(actor.counts).map(([fate, count]): [Record<string, string>, number] => [
        { ...of(actor), fate },
        count,
      ]),
    ),
  );
  family(
    "actor_busy_seconds",
    "gauge",
    "How long the turn under way has lasted.",
    actors.map((actor) => [
      of(actor),
      actor.busy === undefined ? 0 : Math.max(0, (Date.now() - actor.busy.sinceMs) / 1_000),
    ]),
  );
  return `${lines.join("\n")}\n`;
}
