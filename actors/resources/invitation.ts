/** Invitations: a secret that makes whoever has it a member. Only its hash is kept. */
import { type Document, isAtLeast, type Role } from "./document.ts";
import type { Draft } from "./draft.ts";
import { choice, hash, instant, integer, text } from "./field.ts";
import type { Attempt, ResourceType } from "./resource-type.ts";

const usesMax = 100;
export const lifetimeDaysMax = 30;
export const lifetimeDaysDefault = 7;

/** Nobody lets others in above themselves, and nobody into a personal space. */
const mayInvite = ({ document, intent, role }: Attempt) =>
  document.spaceId !== document.creatorId && isAtLeast(role, (intent.body.role ?? document.fields.role) as Role);

export const invitation: ResourceType = {
  name: "invitation",
  plural: "invitations",
  fields: {
    role: choice(["viewer", "member", "admin"], { ranked: true }),
    expiresAt: instant(),
    maxUses: integer(1, usesMax, { byDefault: 1 }),
    uses: integer(0, usesMax, { byDefault: 0, setBy: "writer" }),
    note: text({ max: 200 }, { byDefault: "" }),
    tokenHash: hash(),
  },
  inputs: ["tokenHash"],
  may: {
    create: { least: "admin", and: mayInvite },
    delete: { least: "admin" },
  },
  derive({ fields, body, kind }) {
    if (kind === "create") fields.tokenHash = body.tokenHash ?? null;
  },
};

/** Whether this secret lets somebody in now who is no member yet. */
export function isUsable(document: Document, tokenHash: unknown, draft: Draft): boolean {
  const { expiresAt, uses, maxUses } = document.fields;
  return (
    isTokenOf(document, tokenHash) &&
    document.deletedBy === undefined &&
    draft.at < (expiresAt as string) &&
    (uses as number) < (maxUses as number)
  );
}

/** Hashes of 256 random bits: how long a comparison takes tells nothing of use. */
export function isTokenOf({ fields }: Document, tokenHash: unknown): boolean {
  return typeof tokenHash === "string" && fields.tokenHash === tokenHash;
}
