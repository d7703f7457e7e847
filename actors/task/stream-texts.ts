/** What streams say of facts, as bytes: one text for all streams that it goes to. */
import type { Fact } from "../resources/fact.ts";
import { toldFact } from "../resources/past.ts";
import { registry } from "../resources/registry.ts";
import { eventBytes } from "./event-stream.ts";

/** A larger fact is told without its changes. */
const factBytesMax = 64 * 1024;

export function factBytes(fact: Fact): Uint8Array {
  const id = `${fact.spaceId}:${fact.seq}`;
  const fed = toldFact(registry, fact);
  const bytes = eventBytes({ event: "fact", id, json: JSON.stringify(fed) });
  if (bytes.byteLength <= factBytesMax) return bytes;
  const { changes: _changes, ...rest } = fed;
  return eventBytes({ event: "fact", id, json: JSON.stringify({ ...rest, partial: true }) });
}

export function bye(retryMs?: number): Uint8Array {
  const retry = retryMs === undefined ? "" : `retry: ${retryMs}\n`;
  return new TextEncoder().encode(`${retry}event: bye\ndata: {}\n\n`);
}
