/** A list in parts of this length at most: what is sent to a server in one command is bounded. */
export function parts<Each>(all: readonly Each[], max: number): Each[][] {
  return Array.from({ length: Math.ceil(all.length / max) }, (_, part) => all.slice(part * max, (part + 1) * max));
}
