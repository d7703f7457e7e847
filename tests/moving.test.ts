/** Moving from one system to another by `tracker export` and `tracker import`, in one process and on servers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Person, person } from "./system/client.ts";
import { type Place, placeOn, type ServerName, servers } from "./system/deployments.ts";
import {
  difficult,
  keptOf,
  makeEveryField,
  makeWorld,
  moving,
  snapshotOf,
  tokenOf,
  type World,
} from "./system/moving-world.ts";
import { cleanUp, type System, start, temporaryFolder } from "./system/server.ts";
import { describeWith } from "./system/services.ts";
import { atWork, factsOf, join as joinSpace, newSpace, ok, type Resource } from "./system/spaces.ts";
import { tracker } from "./system/tracker.ts";

const deadlineMs = 180_000;
const folder = temporaryFolder();
let files = 0;
const newFile = () => join(folder, `export-${++files}.ndjson`);

let home: System;
let [ada, bob]: Person[] = [];
let world: World;
const a = () => ada as Person;
const b = () => bob as Person;
beforeAll(async () => {
  home = await start();
  [ada, bob] = await Promise.all([person(home.url), person(home.url)]);
  world = await makeWorld(a(), b(), (spaceId) => joinSpace(spaceId, a(), b()));
}, deadlineMs);
afterAll(async () => {
  await home?.end("SIGTERM");
  await cleanUp();
}, deadlineMs);

type Line = Readonly<Record<string, unknown>> & { line: string };
const linesIn = (path: string): Line[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

async function exported(who: Person, url: string, ...args: string[]): Promise<string> {
  const file = newFile();
  const { code, out, err } = await moving(who, url, ["export", ...args, file]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^Exported \d+ documents with \d+ changes, of \d+ spaces, to /);
  return file;
}

/** Into which space it went. */
function importedInto(out: string): string {
  return /^Imported ".*" into ([0-9a-f-]{36}): /m.exec(out)?.[1] ?? "";
}

for (const { name, needed } of [
  { name: "to another process", needed: [] },
  { name: "to servers and back", needed: [await servers()] },
])
  describeWith(name, needed, (...[urls]: readonly Record<ServerName, string>[]) => {
    let away: System;
    let place: Place | undefined;
    let eve: Person;
    beforeAll(async () => {
      place = urls === undefined ? undefined : await placeOn(urls);
      away = await start({ env: place?.env ?? {} });
      eve = await person(away.url);
      await atWork(eve);
    }, deadlineMs);
    afterAll(async () => {
      await away?.end("SIGTERM");
      await place?.remove();
    }, deadlineMs);

    test(
      "a space arrives with everything in its place, a second import changes nothing, and it comes back the same",
      async () => {
        const file = await exported(a(), home.url, "--space", world.spaceId);
        const first = await moving(eve, away.url, ["import", file]);
        expect([first.code, first.err]).toEqual([0, ""]);
        const there = importedInto(first.out);
        expect(there).not.toBe(world.spaceId);
        const before = await keptOf(a(), world.spaceId);
        expect(await keptOf(eve, there)).toEqual(before);
        expect((await ok(eve, 200, "GET", `/v1/spaces/${there}`)).body.name).toBe(`Moving ${difficult.trim()}`);

        const facts = await factsOf(eve, there);
        const second = await moving(eve, away.url, ["import", file]);
        expect([second.code, second.err]).toEqual([0, ""]);
        expect(importedInto(second.out)).toBe(there);
        expect(second.out).toContain(": nothing new; ");
        expect(await factsOf(eve, there)).toEqual(facts);

        const back = await exported(eve, away.url, "--space", there);
        const carol = await person(home.url);
        const third = await moving(carol, home.url, ["import", back]);
        expect([third.code, third.err]).toEqual([0, ""]);
        expect(await keptOf(carol, importedInto(third.out))).toEqual(before);
      },
      deadlineMs,
    );
  });
