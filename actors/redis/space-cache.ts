/** Resources of spaces in Redis, as the `task` workers and the keeper both write them, by the rules of space-cache-scripts.ts. */
/**
 * `asOf`: the position in the space's partition up to which the entry is known to be right. A deleted one is its tombstone. `text` is empty where a task is
 * shown by the columns of its project: it changes with these, and only its version is certain.
 */
export type SpaceEntry = {
  readonly version: number;
  readonly asOf: number;
  readonly isDeleted: boolean;
  readonly type: string;
  readonly text: string;
};

export const spaceKeys = {
  resource: (spaceId: string, id: string) => `tt:space:${spaceId}:${id}`,
  lease: (spaceId: string, id: string) => `tt:space-lease:${spaceId}:${id}`,
  /** By partition, the position up to which the keeper has applied everything that was told. */
  kept: "tt:space-kept",
  /** By partition, the position of the user's last acknowledged write. */
  own: (userId: string) => `tt:space-own:${userId}`,
  /** Whose an operation is that was answered before it was decided. */
  operation: (spaceId: string, id: string) => `tt:space-operation:${spaceId}:${id}`,
};

/** The text stays as it is: reading an entry parses nothing of it. */
export function spaceEntryText({ version, asOf, isDeleted, type, text }: SpaceEntry): string {
  return `${version} ${asOf} ${isDeleted ? 1 : 0} ${type} ${text}`;
}

const form = /^(\d+) (\d+) ([01]) ([a-z]+) /;

export function readSpaceEntry(kept: string | null): SpaceEntry | undefined {
  const found = kept === null ? null : form.exec(kept);
  if (kept === null || found === null) return undefined;
  const [head, version, asOf, deleted, type = ""] = found;
  return {
    version: Number(version),
    asOf: Number(asOf),
    isDeleted: deleted === "1",
    type,
    text: kept.slice(head.length),
  };
}
