/**
 * What a field of a resource may be, as data: the schemas of the API, the columns and indexes of both stores, merge patch, filters and sorts are all
 * derived from these few kinds. No package is needed to read them, so that the page decides by the same definitions.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** The form of a field's value. Lengths count code points. */
export type Form =
  | { readonly kind: "text"; readonly min: number; readonly max: number; readonly blank: boolean; readonly isId?: true }
  /** `ranked`: sorted by the place in `values`, else by the text. */
  | { readonly kind: "choice"; readonly values: readonly string[]; readonly ranked: boolean }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  | { readonly kind: "flag" }
  /** RFC 3339, kept as UTC milliseconds. */
  | { readonly kind: "instant" }
  /** `#rrggbb`, lower case. */
  | { readonly kind: "color" }
  /** The id of a resource of the same space. */
  | { readonly kind: "reference"; readonly to: string }
  /** A set of different texts in the order of the client, where told only of `values`; kept in Unicode's form C. */
  | { readonly kind: "texts"; readonly max: number; readonly textMax: number; readonly values?: readonly string[] }
  /** A set of user ids; ids newly named must be members of the space. */
  | { readonly kind: "members"; readonly max: number }
  /** A day, a local time, or a time in a zone (due.ts). */
  | { readonly kind: "due" }
  /** The columns of a project: a list of `{ id, name, status }`. */
  | { readonly kind: "columns"; readonly max: number }
  /** An absolute http or https URL without user, password and fragment. */
  | { readonly kind: "url"; readonly max: number }
  /** The SHA-256 of a secret, base64url. */
  | { readonly kind: "hash" };

export type Field = {
  readonly form: Form;
  /** What a creation that leaves it out has, and what `null` means in a merge patch; without it the field is required and `null` is refused. */
  readonly byDefault?: Json;
  /** `null` is one of its values. */
  readonly nullable?: true;
  /** A list may be sorted by it. */
  readonly sortable?: true;
  /**
   * Who sets it: `client`, where a request may; `once`, where only the one that creates may; `writer`, where the rules of its type do; `hidden` the same,
   * and it is never served, cached or told.
   */
  readonly setBy: "client" | "once" | "writer" | "hidden";
};

type Options = { readonly byDefault?: Json; readonly sortable?: true; readonly setBy?: Field["setBy"] };

const field = (form: Form, { byDefault, sortable, setBy = "client" }: Options = {}): Field => ({
  form,
  setBy,
  ...(byDefault === undefined ? {} : { byDefault }),
  ...(byDefault === null ? { nullable: true } : {}),
  ...(sortable === undefined ? {} : { sortable }),
});

export const text = (bounds: { min?: number; max: number; blank?: boolean }, options?: Options): Field =>
  field({ kind: "text", min: bounds.min ?? 0, max: bounds.max, blank: bounds.blank ?? true }, options);
/** The id of what is no resource. */
export const partId = (options?: Options): Field =>
  field({ kind: "text", min: 36, max: 36, blank: false, isId: true }, options);
export const choice = (values: readonly string[], options?: Options & { ranked?: true }): Field =>
  field({ kind: "choice", values, ranked: options?.ranked ?? false }, options);
export const integer = (min: number, max: number, options?: Options): Field =>
  field({ kind: "integer", min, max }, options);
export const flag = (options?: Options): Field => field({ kind: "flag" }, options);
export const instant = (options?: Options): Field => field({ kind: "instant" }, options);
export const color = (options?: Options): Field => field({ kind: "color" }, options);
export const reference = (to: string, options?: Options): Field => field({ kind: "reference", to }, options);
export const url = (max: number, options?: Options): Field => field({ kind: "url", max }, options);
export const texts = (bounds: { max: number; textMax: number; values?: readonly string[] }, options?: Options): Field =>
  field({ kind: "texts", ...bounds }, { byDefault: [], ...options });
export const members = (max: number, options?: Options): Field =>
  field({ kind: "members", max }, { byDefault: [], ...options });
export const due = (options?: Options): Field => field({ kind: "due" }, options);
export const columns = (max: number, options?: Options): Field => field({ kind: "columns", max }, options);
export const hash = (options?: Options): Field => field({ kind: "hash" }, { setBy: "hidden", ...options });

/** Whether a patch may add to and remove from it, so that two who add different items both succeed. */
export function isSet({ form }: Field): boolean {
  return form.kind === "texts" || form.kind === "members";
}

/** Whether two values of fields are the same. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b))
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, at) => isSame(item, b[at] as Json))
    );
  const [left, right] = [a as Record<string, Json>, b as Record<string, Json>];
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => isSame(left[name], right[name]));
}
