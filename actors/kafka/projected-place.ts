/** The metadata of a writer's commit: from which offset of the facts the verdicts of the committed position and of later ones are found. */

export function projectedMetadata(factsOffset: number): string {
  return `facts=${factsOffset}`;
}

export function factsOffsetIn(metadata: string): number | undefined {
  const [, offset] = /^facts=(\d{1,15})$/.exec(metadata) ?? [];
  return offset === undefined ? undefined : Number(offset);
}
