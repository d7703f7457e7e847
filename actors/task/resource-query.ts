/** A list of resources of one type, as it is asked of the read model. */
import type { PageEnd } from "./space-ports.ts";

export type ResourceQuery = {
  readonly type: string;
  /** The resources of all these spaces are one list. */
  readonly spaceIds: readonly string[];
  readonly deleted: boolean;
  /** `createdAt`, `updatedAt` or a sortable field of the type. */
  readonly sort: string;
  readonly descending: boolean;
  readonly limit: number;
  readonly after: PageEnd | undefined;
};
