/** What a store that fails means to a client: accounts cannot be read or changed now. */
import { Problem } from "../model/problem.ts";

type Port = Record<string, (...given: never[]) => Promise<unknown>>;

/** The same port, whose methods throw `users-unavailable` for whatever the store throws (which `failed` is told), and while it is not open. */
export function available<Store extends { readonly [M in keyof Store]: (...given: never[]) => Promise<unknown> }>(
  store: Store,
  isOpen: () => boolean,
  failed?: (error: unknown) => void,
): Store {
  const methods = Object.entries(store as unknown as Port).map(([name, method]) => [
    name,
    async (...given: never[]): Promise<unknown> => {
      if (!isOpen()) throw new Problem("users-unavailable");
      try {
        return await method(...given);
      } catch (cause) {
        failed?.(cause);
        throw new Problem("users-unavailable", undefined, { cause });
      }
    },
  ]);
  return Object.fromEntries(methods) as Store;
}
