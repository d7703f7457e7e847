/**
 * How the modules of actors are loaded, by the actor's name: `{ counter: () => import("./counter.ts") }`. An import that is written out is one that
 * bundlers and compilers find and take along, which an address that is made at run time is not.
 */
export type Modules = Readonly<Record<string, () => Promise<unknown>>>;

/** What a registry has, in words. */
const namesOf = (modules: Modules): string => {
  const names = Object.keys(modules);
  return names.length === 0 ? "no actor" : names.join(", ");
};

/** How to put an actor into a registry, in words. */
const entryOf = (name: string): string => `${JSON.stringify(name)}: () => import("./${name}.ts")`;

/** The module of an actor: from the registry, else from its address. Rejects with a TypeError that says what to add to what where there is neither. */
export async function loadModule(
  name: string,
  address: string | undefined,
  modules: Modules,
  to = "what serveActors() is given",
): Promise<unknown> {
  if (Object.hasOwn(modules, name)) return await (modules[name] as () => Promise<unknown>)();
  if (address !== undefined) return (await import(address)) as unknown;
  throw new TypeError(
    `Cannot load ${name}: actor() was given no module, and the registry of its thread has ${namesOf(modules)}; add ${entryOf(name)} to ${to}`,
  );
}

/** Of children whose modules nothing leads to, what to add where. */
export function moduleFaultsOf(
  children: readonly { readonly actor: { name: string; module: URL | undefined }; readonly thread: "own" | "main" }[],
  given: { readonly modules: Modules; readonly hasWorker: boolean },
): string[] {
  return children.flatMap(({ actor: { name, module }, thread }) => {
    if (module !== undefined) return [];
    if (thread === "main")
      return Object.hasOwn(given.modules, name)
        ? []
        : [`${name} runs in the main thread and has no module: add ${entryOf(name)} to the system's modules`];
    return given.hasWorker
      ? []
      : [
          `${name} has no module: give actor() its address, or give the system a worker whose entry calls serveActors({ ${entryOf(name)} })`,
        ];
  });
}
