import { v7 as uuidv7 } from "uuid";
import type { Call } from "../../http/route.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { type Address, type SpaceParts, spaceOf } from "../request.ts";

/** Where a type's resources are; a space is itself the address. */
export type Place = {
  readonly address: Address;
  readonly collection: string;
  readonly one: string;
  readonly idOf: (call: Call) => string;
  readonly aliasesOf: (path: string) => { aliases?: readonly string[] };
};

export type Context = {
  readonly type: ResourceType;
  readonly parts: SpaceParts;
  readonly place: Place;
  readonly name: string;
  readonly suffix: string;
};

export function placeOf(type: ResourceType, address: Address): Place {
  const aliasesOf = (path: string) =>
    address.isOwn && type.name === "task" ? { aliases: [path.replace("/v1/", "/")] } : {};
  if (type.name === "space")
    return {
      address,
      collection: "/v1/spaces",
      one: "/v1/spaces/:spaceId",
      idOf: (call) => call.params.spaceId as string,
      aliasesOf,
    };
  const collection = `${address.prefix}/${type.plural}`;
  return { address, collection, one: `${collection}/:id`, idOf: (call) => call.params.id as string, aliasesOf };
}

/** An owner may still look at a deleted space, and bring it back. */
export function seesDeleted({ type }: Context) {
  return type.name === "space" ? { isDeletedSeen: true } : {};
}

/** Who may read it. */
export function seenBy(context: Context) {
  const { seenBy: least } = context.type;
  return { ...seesDeleted(context), ...(least === undefined ? {} : { least }) };
}

export function idOf({ type, parts, place }: Context, call: Call): string {
  return type.name === "space" ? spaceOf(parts, call) : place.idOf(call);
}

/** API tokens change people's spaces, members and invitations only where they may. */
export function scopeOf({ type }: Context): { scope?: string } {
  return type.isContent === true ? {} : { scope: "spaces:admin" };
}

export function edgeOf({ now, urlFault }: Pick<SpaceParts, "now" | "urlFault">) {
  const further = urlFault === undefined ? {} : { urlFault };
  return { nowMs: now(), newId: () => uuidv7(), ...further };
}
