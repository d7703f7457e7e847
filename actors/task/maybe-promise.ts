/** Values that may have to be waited for: what needs no wait makes no promise. */
export type MaybePromise<T> = T | Promise<T>;

/** All of them, at once where none is to be waited for. */
export function all<T>(values: readonly MaybePromise<T>[]): MaybePromise<readonly T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as readonly T[]);
}

/** Goes on at once with a value, later with a promise. */
export function then<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
