/** Which space of a file goes where, and each of them imported. */
import { ProblemError } from "../../../clients/typescript/src/problem.ts";
import { counted } from "../../model/counted.ts";
import type { Target } from "./creation.ts";
import { type OwnSpace, ownSpaces } from "./export-spaces.ts";
import type { FileSpace, ImportFile, Left } from "./import-file.ts";
import { type ImportCounts, importSpace } from "./import-space.ts";
import { MovingError } from "./moving-file.ts";
import { listed } from "./pages.ts";
import type { ServerApi } from "./server-api.ts";

export type ImportSpacesOptions = {
  readonly api: ServerApi;
  readonly file: ImportFile;
  readonly into: {
    /** The one space of the file that is taken. */
    readonly only: string | undefined;
    /** An id, or `me`. */
    readonly spaceId: string | undefined;
    /** Of the file to those here. */
    readonly users: ReadonlyMap<string, string>;
  };
  readonly left: (each: Left) => void;
  readonly say: (line: string) => void;
  readonly onProgress: (done: number, total: number) => void;
};

export async function importSpaces(options: ImportSpacesOptions): Promise<void> {
  const { api, file, into, left, say, onProgress } = options;
  const chosen = file.spaces.filter(({ spaceId }) => into.only === undefined || spaceId === into.only);
  if (chosen.length === 0)
    throw new MovingError(
      into.only === undefined
        ? "Cannot import: no space is in the file"
        : `Cannot import: the space ${into.only} is not in the file`,
    );
  if (into.spaceId !== undefined && chosen.length > 1)
    throw new MovingError(`Cannot import ${chosen.length} spaces into one: choose one of them with --from`);
  const own = await ownSpaces(api);
  const [{ space: personal }] = own;
  const total = chosen.reduce((sum, space) => sum + file.count(file.spaces.indexOf(space)), 0);
  let before = 0;
  for (const space of chosen) {
    const place = file.spaces.indexOf(space);
    const spaceId = await placeOf(options, space, own);
    const target = await targetOf(api, spaceId, (id) => into.users.get(id) ?? (id === file.by ? personal.id : id));
    const counts = await importSpace({
      api,
      file,
      place,
      spaceId,
      target,
      left,
      onProgress: (done) => onProgress(before + done, total),
    });
    before += file.count(place);
    say(summary(space, spaceId, counts));
  }
  if (file.members > 1) say(`The members are named in the file (${file.members}): invite those who are to come along`);
}

/** The space that it goes to, which is made where it has to be. Whoever may not write there hears it before anything is changed. */
async function placeOf(
  { api, file, into }: ImportSpacesOptions,
  space: FileSpace,
  own: readonly [OwnSpace, ...OwnSpace[]],
): Promise<string> {
  const [{ space: personal }] = own;
  const isPersonal = space.spaceId === file.by;
  const wanted = into.spaceId === "me" || (into.spaceId === undefined && isPersonal) ? personal.id : into.spaceId;
  if (wanted === undefined) return await madeSpace(api, space);
  const found = own.find((each) => each.space.id === wanted);
  if (found === undefined)
    throw new MovingError(`Cannot import into the space ${wanted}: the token's user is no member of it`);
  if (found.member.role === "viewer")
    throw new MovingError(`Cannot import into the space ${wanted}: the token's user is a viewer there`);
  return wanted;
}

/** Made once for each space that is imported, however often that is: the key is kept for ever. */
async function madeSpace(api: ServerApi, { spaceId, name }: FileSpace): Promise<string> {
  try {
    const made = await api.change("/v1/spaces", { name: name === "" ? "Imported" : name }, `tracker-import-${spaceId}`);
    return made.id as string;
  } catch (failure) {
    if (!(failure instanceof ProblemError)) throw failure;
    if (failure.code === "idempotency-mismatch")
      throw new MovingError(
        `Cannot make the space ${spaceId} again under another name: it has been imported before; name it with --space`,
      );
    if (failure.code === "not-found")
      throw new MovingError(
        `Cannot import the space ${spaceId}: the one that an earlier import made was deleted or left; restore it, or name another with --space`,
      );
    throw failure;
  }
}

async function targetOf(api: ServerApi, spaceId: string, userOf: Target["userOf"]): Promise<Target> {
  const members = new Set<string>();
  for await (const { userId } of listed(api, `/v1/spaces/${spaceId}/members`)) members.add(String(userId));
  return { userOf, isMember: (id) => members.has(id) };
}

function summary({ name }: FileSpace, spaceId: string, { made, present, ofOthers }: ImportCounts): string {
  const taken = Object.entries(made).map(([type, count]) => counted(count, type));
  const what = taken.length === 0 ? "nothing new" : taken.join(", ");
  const more = [
    present > 0 ? `${present} ${present === 1 ? "was" : "were"} there` : "",
    ofOthers > 0 ? `${ofOthers} of them had other authors` : "",
  ].filter((each) => each !== "");
  return `Imported ${JSON.stringify(name)} into ${spaceId}: ${[what, ...more].join("; ")}`;
}
