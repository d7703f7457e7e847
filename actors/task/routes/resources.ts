import type { Route } from "../../http/route.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { type Address, inOwn, inSpace, type SpaceParts, suffixOf } from "../request.ts";
import { changeRoutes } from "./resource-changing.ts";
import { type Context, placeOf } from "./resource-place.ts";
import { readRoutes } from "./resource-reading.ts";

export function resourceRoutes(type: ResourceType, parts: SpaceParts): Route[] {
  return type.isContent === true
    ? [...routesAt(type, parts, inOwn), ...routesAt(type, parts, inSpace)]
    : routesAt(type, parts, inSpace);
}

function routesAt(type: ResourceType, parts: SpaceParts, address: Address): Route[] {
  const place = placeOf(type, address);
  const context: Context = {
    type,
    parts,
    place,
    name: capital(type.name),
    suffix: suffixOf(address, type.isContent === true),
  };
  return [...readRoutes(context), ...changeRoutes(context)];
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
