/** What lists of a type can be asked for, as data: the parameters of the API, the columns and the indexes of both stores are derived from these few kinds. */

export type Filter =
  /** Any of these ids. */
  | { readonly kind: "ids"; readonly max: number }
  /** The field has, or where it is a set contains, one of the given values. */
  | {
      readonly kind: "any";
      readonly field: string;
      readonly repeatable?: true;
      /** The values are ids, though the field's form is a text. */
      readonly isId?: true;
      /** `none` asks for those that have no value. */
      readonly orNone?: true;
      /** `me` is the id of whoever asks. */
      readonly orMe?: true;
    }
  /** The field is a set that contains each of the given values. */
  | { readonly kind: "all"; readonly field: string }
  /** Each word that is given begins a word of one of these fields. */
  | { readonly kind: "words"; readonly fields: readonly string[] }
  /** The field's instant is before or after the given one, exclusive. `field` may be `updatedAt`. */
  | { readonly kind: "before" | "after"; readonly field: string }
  /** The same for a `due`: the bound may be a date, and `timeZone` tells what a day and a local time are. */
  | { readonly kind: "dueBefore" | "dueAfter"; readonly field: string };

/** By the name of the query parameter. */
export type Filters = Readonly<Record<string, Filter>>;

/** What keeps a resource out of lists while nothing about itself has changed. */
export type Hiding = {
  /** A reference: the resource is hidden while what it refers to is deleted. */
  readonly field: string;
  /** A flag of what is referred to that hides as its deletion does. */
  readonly flag?: string;
  /** Hidden, too, while what it refers to is itself hidden for this reason. The field refers to the own type. */
  readonly isInherited?: true;
  /** Filters that ask for the resource all the same, unless with `none`. */
  readonly askedBy: readonly string[];
};
