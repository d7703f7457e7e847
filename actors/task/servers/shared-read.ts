/** One read for all who ask at the same time, where it began with as much as they need. */
export function shared<T>(
  underWay: Map<string, { readonly upTo: number; readonly found: Promise<T> }>,
  key: string,
  upTo: number,
  read: () => Promise<T>,
): Promise<T> {
  const before = underWay.get(key);
  if (before !== undefined && before.upTo >= upTo) return before.found;
  const reading = { upTo, found: read() };
  underWay.set(key, reading);
  const over = () => {
    if (underWay.get(key) === reading) underWay.delete(key);
  };
  reading.found.then(over, over);
  return reading.found;
}
