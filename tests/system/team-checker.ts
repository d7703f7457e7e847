/** What was seen of a team's work, and what of it breaks a promise: a pure function, so that a test can plant each fault. */
import type { Json } from "./client.ts";
import type { Fact, Resource } from "./spaces.ts";

/** Somebody's membership by the clock of the test. `untilMs`: when the answer came that ended it. */
export type Stay = {
  readonly userId: string;
  readonly spaceId: string;
  readonly fromMs: number;
  readonly untilMs?: number;
};

/** A read of a space by somebody: when it was sent, and whether it showed anything. */
export type Sight = {
  readonly userId: string;
  readonly spaceId: string;
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly isSeen: boolean;
};

export type Acknowledged = {
  readonly spaceId: string;
  readonly id: string;
  readonly version: number;
  readonly title?: string;
};

export type TeamRecord = {
  readonly facts: ReadonlyMap<string, readonly Fact[]>;
  /** What a follower was told, by space, in the order in which it came. */
  readonly followed?: ReadonlyMap<string, readonly Fact[]>;
  /** What lists show in the end, by space. */
  readonly resources: ReadonlyMap<string, readonly Resource[]>;
  readonly acknowledged: readonly Acknowledged[];
  /** By key, all that its sender was answered with that was a verdict. */
  readonly verdicts: ReadonlyMap<string, readonly string[]>;
  /** Ids that one batch was to create. */
  readonly batches: readonly { readonly spaceId: string; readonly ids: readonly string[] }[];
  readonly stays: readonly Stay[];
  readonly sights: readonly Sight[];
  readonly erased: readonly {
    readonly userId: string /** What is left of their own space. */;
    readonly remains: readonly string[];
  }[];
};

/** How long somebody who was removed may still see the space. */
const removedMs = 1_000;

/** One sentence for each fault. */
export function faultsOf(record: TeamRecord): string[] {
  return [
    ...[...record.facts].flatMap(([spaceId, facts]) => factFaults(spaceId, facts)),
    ...[...record.resources].flatMap(([spaceId, shown]) => foldFaults(spaceId, record.facts.get(spaceId) ?? [], shown)),
    ...[...(record.followed ?? [])].flatMap(([spaceId, told]) =>
      followFaults(spaceId, record.facts.get(spaceId) ?? [], told),
    ),
    ...record.acknowledged.flatMap((each) => lossOf(each, record.facts.get(each.spaceId) ?? [])),
    ...[...record.verdicts].flatMap(([key, told]) =>
      new Set(told).size > 1 ? [`The verdict under key ${key} has changed: ${[...new Set(told)].join(" then ")}`] : [],
    ),
    ...record.batches.flatMap((each) => halfBatch(each, record.facts.get(each.spaceId) ?? [])),
    ...record.sights.flatMap((sight) => trespassOf(sight, record.stays)),
    ...record.erased.flatMap((each) => remainsOf(each, record.facts)),
  ];
}

function factFaults(spaceId: string, facts: readonly Fact[]): string[] {
  const faults: string[] = [];
  const operations = new Map<string, number>();
  const versions = new Map<string, number>();
  for (const [index, { seq, operationId, changes }] of facts.entries()) {
    if (seq !== index + 1) faults.push(`Space ${spaceId} has seq ${seq} in the place of ${index + 1}`);
    const first = operations.get(operationId);
    if (first !== undefined) faults.push(`Space ${spaceId} has operation ${operationId} at seq ${first} and ${seq}`);
    operations.set(operationId, seq);
    for (const { id, version } of changes) {
      const next = (versions.get(id) ?? 0) + 1;
      if (version !== next) faults.push(`Space ${spaceId}: ${id} has version ${version} at seq ${seq}, not ${next}`);
      versions.set(id, version);
    }
  }
  return faults;
}

/** Each fact once and in order, as it is read: the first that is not. */
function followFaults(spaceId: string, facts: readonly Fact[], told: readonly Fact[]): string[] {
  for (let at = 0; at < Math.max(facts.length, told.length); at++)
    if (JSON.stringify(told[at]) !== JSON.stringify(facts[at]))
      return [
        `Space ${spaceId}: its follower was told seq ${told[at]?.seq} as number ${at + 1}, not ${facts[at]?.seq}`,
      ];
  return [];
}

type Folded = { version: number; isDeleted: boolean; type: string; fields: Record<string, Json> };

function fold(facts: readonly Fact[]): Map<string, Folded> {
  const documents = new Map<string, Folded>();
  for (const { changes } of facts)
    for (const { type, id, version, fields, deleted } of changes) {
      const before = documents.get(id);
      const after = Object.fromEntries(Object.entries(fields).map(([name, { to }]) => [name, to]));
      const isDeleted = deleted ?? before?.isDeleted ?? false;
      documents.set(id, { type, version, isDeleted, fields: { ...before?.fields, ...after } });
    }
  return documents;
}

/** Tasks alone: they are what lists show whole. */
function foldFaults(spaceId: string, facts: readonly Fact[], shown: readonly Resource[]): string[] {
  const documents = fold(facts);
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const resource of shown) {
    const { id, version } = resource;
    if (seen.has(id)) faults.push(`Space ${spaceId} lists ${id} twice`);
    seen.add(id);
    const document = documents.get(id);
    if (document === undefined) faults.push(`Space ${spaceId} lists ${id}, which no fact has made`);
    else if (document.isDeleted) faults.push(`Space ${spaceId} lists ${id}, which is deleted`);
    else if (document.version !== version)
      faults.push(`Space ${spaceId} lists ${id} in version ${version}, not ${document.version}`);
    else
      for (const [name, value] of Object.entries(document.fields))
        if (JSON.stringify(resource[name]) !== JSON.stringify(value))
          faults.push(
            `Space ${spaceId} lists ${id} with ${name} ${JSON.stringify(resource[name])}, not ${JSON.stringify(value)}`,
          );
  }
  for (const [id, { type, isDeleted }] of documents)
    if (type === "task" && !isDeleted && !seen.has(id)) faults.push(`Space ${spaceId} does not list ${id}`);
  return faults;
}

function lossOf({ spaceId, id, version, title }: Acknowledged, facts: readonly Fact[]): string[] {
  const change = facts.flatMap(({ changes }) => changes).find((each) => each.id === id && each.version === version);
  if (change === undefined) return [`Space ${spaceId} has lost version ${version} of ${id}, which was acknowledged`];
  const isOther = title !== undefined && change.fields.title?.to !== title;
  return isOther ? [`Space ${spaceId}: version ${version} of ${id} was acknowledged as "${title}"`] : [];
}

function halfBatch({ spaceId, ids }: { spaceId: string; ids: readonly string[] }, facts: readonly Fact[]): string[] {
  const created = new Set(
    facts.flatMap(({ changes }) => changes.flatMap(({ id, kind }) => (kind === "created" ? id : []))),
  );
  const there = ids.filter((id) => created.has(id)).length;
  if (there === 0) return [];
  const isOne = facts.some(({ changes }) =>
    ids.every((id) => changes.some((change) => change.id === id && change.kind === "created")),
  );
  return isOne ? [] : [`Space ${spaceId} has ${there} of the ${ids.length} tasks of a batch, or not in one fact`];
}

function trespassOf({ userId, spaceId, sentMs, answeredMs, isSeen }: Sight, stays: readonly Stay[]): string[] {
  if (!isSeen) return [];
  const isIn = stays.some(
    (stay) =>
      stay.userId === userId &&
      stay.spaceId === spaceId &&
      answeredMs >= stay.fromMs &&
      sentMs <= (stay.untilMs ?? Number.POSITIVE_INFINITY) + removedMs,
  );
  return isIn ? [] : [`${userId} has seen space ${spaceId} at ${Math.round(sentMs)} ms, while they were no member`];
}

function remainsOf(
  { userId, remains }: { userId: string; remains: readonly string[] },
  all: ReadonlyMap<string, readonly Fact[]>,
): string[] {
  const faults = remains.map((each) => `The space of ${userId}, who was erased, still has ${each}`);
  for (const [spaceId, facts] of all)
    for (const { type, isDeleted, fields } of fold(facts).values())
      if (type === "member" && !isDeleted && fields.userId === userId)
        faults.push(`Space ${spaceId} still has ${userId}, who was erased`);
  return faults;
}
