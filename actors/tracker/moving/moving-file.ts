/**
 * The file of an export: a JSON object a line, so that it is read by people, by `jq` and by programs. Secrets are never in it: what it holds is what the API
 * tells a member of the space.
 *
 *     { line: "export", format, at, by }                          first: by whom (a user's id)
 *     { line: "space", spaceId, name, isPersonal, seq, epoch }    begins a space: all that follows is of it, as it was at `seq`
 *     { line: "document", type, deleted, resource }               a resource as the API serves it
 *     { line: "change", type, id, version, … }                    its history, oldest first, right behind it
 *     { line: "user", id, name }                                  names of those whom the space mentions
 *     { line: "end", documents, changes, sha256 }                 last: the SHA-256 of all bytes before this line
 */
import type { Json } from "../../resources/field.ts";
import { resourceTypes } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";

export const format = 1;

/** A fact has 4 MiB at most, and a document less. */
export const lineBytesMax = 32 * 2 ** 20;

export type Resource = { readonly [name: string]: Json } & {
  readonly id: string;
  readonly version: number;
  readonly creatorId: string;
  readonly createdAt: string;
};

export type ExportLine = { readonly line: "export"; readonly format: number; readonly at: string; readonly by: string };
export type SpaceLine = {
  readonly line: "space";
  readonly spaceId: string;
  readonly name: string;
  readonly isPersonal: boolean;
  readonly seq: number;
  readonly epoch: string;
};
export type DocumentLine = {
  readonly line: "document";
  readonly type: string;
  readonly deleted: boolean;
  readonly resource: Resource;
};
export type EndLine = {
  readonly line: "end";
  readonly documents: number;
  readonly changes: number;
  readonly sha256: string;
};

/** In the order in which they stand in the file. What only some members may read, or what holds a secret, is not in it. */
export const exportedTypes: readonly ResourceType[] = resourceTypes.filter(
  ({ fields, seenBy }) => seenBy === undefined && Object.values(fields).every(({ setBy }) => setBy !== "hidden"),
);

/** What an import makes again: projects, tasks and comments, each after what it may refer to. */
export const importedTypes: readonly ResourceType[] = exportedTypes.filter(({ isContent }) => isContent === true);

/** Refused before anything was changed; the message is one clear line. */
export class MovingError extends Error {
  override readonly name = "MovingError";
}

/** Done, but for what has been named. */
export class IncompleteError extends Error {
  override readonly name = "IncompleteError";
}
