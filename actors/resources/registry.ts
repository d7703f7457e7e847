/** All types of resources. A new one is a file beside this one and a line here. */
import { comment } from "./comment.ts";
import { invitation } from "./invitation.ts";
import { member } from "./member.ts";
import { project } from "./project.ts";
import type { ResourceType } from "./resource-type.ts";
import { space } from "./space.ts";
import { task } from "./task.ts";
import { webhook } from "./webhook.ts";

export type Registry = ReadonlyMap<string, ResourceType>;

export function registryOf(types: readonly ResourceType[]): Registry {
  return new Map(types.map((type) => [type.name, type]));
}

/** Throws where there is no such type. */
export function typeNamed(registry: Registry, name: string): ResourceType {
  const type = registry.get(name);
  if (type === undefined) throw new Error(`Cannot go on: there is no type of resource named ${name}`);
  return type;
}

export const resourceTypes = [space, member, invitation, project, task, comment, webhook];
export const registry = registryOf(resourceTypes);
