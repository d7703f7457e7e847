/** Spaces as lines of a file, each as it was at one `seq`, whatever is written meanwhile. */
import { ProblemError } from "../../../clients/typescript/src/problem.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import type { ProgressReporter } from "../progress.ts";
import { type ExportLine, format, importedTypes, MovingError, type Resource } from "./moving-file.ts";
import { factPages, listed } from "./pages.ts";
import type { ServerApi } from "./server-api.ts";
import { type SpaceHistory, spaceHistory } from "./space-history.ts";

export type OwnSpace = { readonly space: Resource; readonly member: Resource; readonly seq: number };

/** Of whoever the token is of, the personal one first. */
export async function ownSpaces(api: ServerApi): Promise<readonly [OwnSpace, ...OwnSpace[]]> {
  const { items } = (await api.get("/v1/spaces")) as { items: [OwnSpace, ...OwnSpace[]] };
  return items;
}

export type ExportOptions = {
  readonly api: ServerApi;
  /** Ids, and `me`; undefined: all. */
  readonly wanted: readonly string[] | undefined;
  /** Resolves when the line is on its way; the lines before it are not kept. */
  readonly write: (line: object) => Promise<void>;
  readonly progress: (unit: string) => ProgressReporter;
  readonly now: () => Date;
};

export type ExportCounts = { spaces: number; documents: number; changes: number };

const usersAtOnce = 100;
const inOrder = "sort=createdAt";
const askedAtOnce = 8;

/** All lines but the last. */
export async function exportSpaces({ api, wanted, write, progress, now }: ExportOptions): Promise<ExportCounts> {
  const all = await ownSpaces(api);
  const [{ space: personal }] = all;
  const ids = wanted?.map((each) => (each === "me" ? personal.id : each));
  const missing = ids?.find((id) => all.every(({ space }) => space.id !== id));
  if (missing !== undefined)
    throw new MovingError(`Cannot export the space ${missing}: the token's user is no member of it`);
  const chosen = all.filter(({ space }) => ids === undefined || ids.includes(space.id));
  const counts = { spaces: 0, documents: 0, changes: 0 };
  const first: ExportLine = { line: "export", format, at: now().toISOString(), by: personal.id };
  await write(first);
  for (const own of chosen) await exportSpace({ api, own, personalId: personal.id, write, progress, counts });
  return counts;
}

type SpaceExport = Pick<ExportOptions, "api" | "write" | "progress"> & {
  readonly own: OwnSpace;
  readonly personalId: string;
  readonly counts: ExportCounts;
};

async function exportSpace({ api, own, personalId, write, progress, counts }: SpaceExport): Promise<void> {
  const { id: spaceId, name } = own.space;
  const history = spaceHistory(spaceId);
  try {
    const place = await readFacts(api, spaceId, history, progress("operations"));
    await readServed(api, spaceId, history);
    await write({ line: "space", spaceId, name, isPersonal: spaceId === personalId, ...place });
    const reporter = progress("documents");
    const total = history.count();
    const people = new Set<string>();
    let done = 0;
    for (const { type, isDeleted, resource, changes } of history.all()) {
      await write({ line: "document", type: type.name, deleted: isDeleted, resource });
      for (const id of peopleIn(type, resource)) people.add(id);
      for (const change of changes) {
        await write({ line: "change", ...change });
        people.add(change.actorId as string);
        counts.changes += 1;
      }
      counts.documents += 1;
      reporter.update(++done, total);
    }
    reporter.end();
    for (const user of await namesOf(api, [...people].sort())) await write({ line: "user", ...user });
    counts.spaces += 1;
  } finally {
    history.close();
  }
}

/** Everything that happened, up to the latest fact that there is when the end is reached. */
async function readFacts(api: ServerApi, spaceId: string, history: SpaceHistory, reporter: ProgressReporter) {
  let place = { seq: 0, epoch: "" };
  for await (const { items, after, seq, epoch } of factPages(api, spaceId, 0)) {
    for (const fact of items) history.addFact(fact);
    reporter.update(after, seq);
    place = { seq: after, epoch };
  }
  reporter.end();
  return place;
}

/** Each resource as the server shows it: what the feed does not tell of it is in there. */
async function readServed(api: ServerApi, spaceId: string, history: SpaceHistory): Promise<void> {
  const base = `/v1/spaces/${spaceId}`;
  for await (const { type, resource } of api.lines(`${base}/snapshot`))
    if (typeof type === "string") history.addServed({ type, resource: resource as Resource });
  for (const type of importedTypes) {
    const path = `${base}/${type.plural}`;
    if (type.isReadApart === true) await readList(listed(api, path, [inOrder]), type, history);
    await readList(listed(api, path, ["deleted=true", inOrder]), type, history);
  }
  // Comments of deleted tasks, say, are in no list.
  const rest = [...history.unserved()].filter(({ type }) => type.may.create !== undefined && type.isContent === true);
  const next = rest.values();
  const work = async (): Promise<void> => {
    for (const { type, id } of next) await readFirst(api, `${base}/${type.plural}/${id}?version=1`, type, history);
  };
  await Promise.all(Array.from({ length: askedAtOnce }, work));
}

async function readList(
  resources: AsyncIterable<Resource>,
  { name: type }: ResourceType,
  history: SpaceHistory,
): Promise<void> {
  for await (const resource of resources) history.addServed({ type, resource });
}

/** Its first version: when it was made. */
async function readFirst(api: ServerApi, path: string, { name: type }: ResourceType, history: SpaceHistory) {
  try {
    history.addServed({ type, resource: (await api.get(path)) as Resource });
  } catch (failure) {
    // The fact of its creation has nearly the same instant.
    if (!(failure instanceof ProblemError && failure.status === 404)) throw failure;
  }
}

/** Ids of users in a resource. */
function peopleIn(type: ResourceType, resource: Readonly<Record<string, unknown>>): string[] {
  const named = Object.entries(type.fields).flatMap(([name, { form }]) =>
    form.kind === "members" ? (resource[name] as string[]) : [],
  );
  const own = [resource.creatorId, resource.userId].filter((each) => typeof each === "string");
  return [...own, ...named];
}

async function namesOf(api: ServerApi, ids: readonly string[]): Promise<{ id: string; name: string | null }[]> {
  const found: { id: string; name: string | null }[] = [];
  for (let from = 0; from < ids.length; from += usersAtOnce) {
    const query = ids.slice(from, from + usersAtOnce).map((id) => `id=${id}`);
    found.push(...((await api.get(`/v1/users?${query.join("&")}`)) as { items: typeof found }).items);
  }
  return found;
}
