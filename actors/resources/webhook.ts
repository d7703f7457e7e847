/** Webhooks: addresses that are told each fact of the space. The secret that signs is made from the id and `generation`: nothing secret is in the log. */
import { flag, instant, integer, texts, url } from "./field.ts";
import type { ResourceType } from "./resource-type.ts";

/** Of a space, checked where they are made. */
export const webhooksMax = 20;

/** In the place of an id: by this the writer counts every change of a webhook. */
export const webhooksMark = "00000000-0000-0000-0000-000000000000";

export const webhook: ResourceType = {
  name: "webhook",
  plural: "webhooks",
  // An address often is a secret itself.
  seenBy: "admin",
  fields: {
    url: url(2_000),
    /** Facts are told that change a resource of one of these types; none: all facts. */
    types: texts({
      max: 10,
      textMax: 20,
      values: ["space", "member", "invitation", "project", "task", "comment", "webhook"],
    }),
    active: flag({ byDefault: true }),
    generation: integer(1, 1_000_000, { byDefault: 1, setBy: "writer" }),
    /** When the secret of this generation took the place of the one before. */
    rotatedAt: instant({ byDefault: null, setBy: "writer" }),
  },
  inputs: ["rotate"],
  may: {
    create: { least: "admin" },
    patch: { least: "admin" },
    delete: { least: "admin" },
  },
  derive({ draft, before, fields, body }) {
    if (before === undefined || body.rotate !== true) return;
    fields.generation = (before.fields.generation as number) + 1;
    fields.rotatedAt = draft.at;
  },
};
