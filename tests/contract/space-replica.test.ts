/** A space that is followed fact by fact lists the same, at every step, as one that is read afresh. */
import { expect, test } from "bun:test";
import type { Document, Head } from "../../actors/resources/document.ts";
import { unmadeHead } from "../../actors/resources/head.ts";
import { registry, typeNamed } from "../../actors/resources/registry.ts";
import { replicatedTypes, spaceReplica } from "../../actors/task/memory/space-replica.ts";
import { resourceQuery } from "../../actors/task/resource-query.ts";
import { random } from "../system/random.ts";
import { ann, other, projects, shared, worldOf } from "./space-reads-world.ts";

const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);
const asked = [
  "",
  "sort=title&limit=100",
  "sort=-updatedAt&limit=100",
  "sort=rank&limit=100",
  "sort=-priority&status=todo",
  "parent=none&sort=dueAt",
  "q=t",
  ...projects.map((project) => `project=${project}&limit=100`),
];
const kept = ({ type, deletedBy }: Document) =>
  deletedBy === undefined ? replicatedTypes.has(type) : replicatedTypes.get(type)?.withDeleted === true;

test.each([shared, other, ann])("a replica that has followed and a fresh one are the same (%s)", (spaceId) => {
  const choose = random(seed);
  const documents = new Map<string, Document>();
  let head: Head = unmadeHead(spaceId);
  const fresh = () => spaceReplica(registry, { head, documents: [...documents.values()].filter(kept) });
  let followed = fresh();
  let compared = 0;
  for (const batch of worldOf(seed, 1_000).batches) {
    const its = batch.documents.filter((each) => each.spaceId === spaceId);
    for (const fact of batch.facts.filter((each) => each.spaceId === spaceId))
      expect(followed.take(fact, its), `seed ${seed}`).toBe(true);
    for (const document of its) documents.set(document.id, document);
    head = batch.heads.find((each) => each.spaceId === spaceId) ?? head;
    const read = fresh();
    for (const type of replicatedTypes.keys())
      for (const parameters of type === "task" ? choose.some(asked, 0.4) : [""]) {
        const query = resourceQuery(
          typeNamed(registry, type),
          { userId: ann, spaceIds: [spaceId] },
          new URLSearchParams(parameters),
        );
        const found = followed.list(query);
        expect({ seed, parameters, found }).toEqual({ seed, parameters, found: [...read.list(query)] });
        compared += found.length;
      }
    expect([followed.seq(), followed.position(), followed.atMs()]).toEqual([read.seq(), read.position(), read.atMs()]);
    // Reading it in between makes no difference to what follows.
    if (choose.chance(0.1)) followed = fresh();
  }
  expect(compared).toBeGreaterThan(500);
});
