/** Spaces: a wall around what some people share. */
import { text } from "./field.ts";
import type { Attempt, ResourceType } from "./resource-type.ts";

/** A personal space can be renamed and nothing else. */
const isShared = ({ document }: Attempt) => document.id !== document.creatorId;

export const space: ResourceType = {
  name: "space",
  plural: "spaces",
  fields: { name: text({ min: 1, max: 200, blank: false }, { sortable: true }) },
  may: {
    // Whoever makes a space becomes its owner (decide.ts): there is no role before it exists.
    create: { least: "viewer" },
    patch: { least: "admin" },
    delete: { least: "owner", and: isShared },
    restore: { least: "owner" },
  },
};
