/** Arguments with values: `--name VALUE`. */
import { UsageError } from "./command.ts";

export type FlagKind = "one" | "many" | "none";
export type Flags<Names extends string> = {
  /** The values of each flag that was given; of one without values, an empty list. */
  readonly flags: Readonly<Partial<Record<Names, readonly string[]>>>;
  readonly rest: readonly string[];
};

/** `-` alone is no flag. Throws a `UsageError` for a flag that is unknown, lacks its value or is repeated. */
export function readFlags<Names extends string>(
  args: readonly string[],
  known: Readonly<Record<Names, FlagKind>>,
): Flags<Names> {
  const flags: Partial<Record<Names, string[]>> = {};
  const rest: string[] = [];
  const left = args.values();
  for (const each of left) {
    if (!each.startsWith("-") || each === "-") {
      rest.push(each);
      continue;
    }
    const kind = Object.hasOwn(known, each) ? known[each as Names] : undefined;
    if (kind === undefined) throw new UsageError(`Cannot take the argument ${JSON.stringify(each)}`);
    if (kind !== "many" && Object.hasOwn(flags, each)) throw new UsageError(`Cannot take ${each} twice`);
    const values = (flags[each as Names] ??= []);
    if (kind === "none") continue;
    const { value, done } = left.next();
    if (done === true) throw new UsageError(`Cannot use ${each}: its value is missing`);
    values.push(value);
  }
  return { flags, rest };
}
