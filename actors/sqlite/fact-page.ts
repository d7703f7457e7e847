/** Facts of a space as they are read on, some at a time. */
import type { Fact } from "../resources/fact.ts";

/** The facts of these rows: as many as fit into so many bytes, but one at least. */
export function factPage(rows: Iterable<unknown>, bytesMax: number): Fact[] {
  const facts: Fact[] = [];
  let bytes = 0;
  for (const row of rows) {
    const { json } = row as { json: string };
    bytes += Buffer.byteLength(json);
    if (facts.length > 0 && bytes > bytesMax) break;
    facts.push(JSON.parse(json) as Fact);
  }
  return facts;
}
