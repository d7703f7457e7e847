/** Values as YAML gives them, and ways to look into them without trusting their shape. */

export type Value = null | string | number | boolean | Value[] | { [key: string]: Value };

/** What lies there, or undefined where the path ends early. */
export function at(value: Value | undefined, ...path: (string | number)[]): Value | undefined {
  let here: Value | undefined = value;
  for (const step of path) {
    if (here === null || typeof here !== "object") return undefined;
    here = (here as Record<string | number, Value>)[step];
  }
  return here;
}

export const list = (value: Value | undefined): Value[] => (Array.isArray(value) ? value : []);

export const entries = (value: Value | undefined): [string, Value][] =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];

/** As text; empty when it is no scalar. */
export const text = (value: Value | undefined): string =>
  value === undefined || value === null || typeof value === "object" ? "" : String(value);

/** Puts a value there, or takes away what is there; for tests that break a file on purpose. */
export function put(value: Value | undefined, path: (string | number)[], to: Value | undefined): void {
  const last = path.at(-1);
  const parent = at(value, ...path.slice(0, -1));
  if (last === undefined || parent === undefined || parent === null || typeof parent !== "object")
    throw new Error(`Cannot put a value at ${path.join("/")}: nothing is there`);
  if (to === undefined) delete (parent as Record<string | number, Value>)[last];
  else (parent as Record<string | number, Value>)[last] = to;
}
