/** Puts a value at the end of a map that has the latest last; the oldest goes where there are more than `max`. */
export function putLatest<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > max && oldest !== undefined) map.delete(oldest);
}
