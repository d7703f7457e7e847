/** Moving from one system to another by `tracker export` and `tracker import`, in one process and on servers. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
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
import { poll } from "./system/poll.ts";
import { binaryOf } from "./system/runtimes.ts";
import { cleanUp, freePort, type System, start, temporaryFolder } from "./system/server.ts";
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
  expect({ code, err: withoutProgress(err) }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(
    /^Exported (?:1 document|(?!1 )\d+ documents) with (?:1 change|(?!1 )\d+ changes), of (?:1 space|(?!1 )\d+ spaces), to /,
  );
  return file;
}

type Spaces = { items: { space: Resource & { name: string }; member: Resource }[] };
const spacesOf = async (who: Person) => (await ok<Spaces>(who, 200, "GET", "/v1/spaces")).body.items;

/** A space of some thousand tasks in two columns of a project. */
async function manyTasks(who: Person): Promise<{ spaceId: string; count: number }> {
  const spaceId = await newSpace(who, "Many");
  const base = `/v1/spaces/${spaceId}`;
  const { body: project } = await ok(who, 201, "POST", `${base}/projects`, { name: "Many" });
  const columns = project.columns as { id: string }[];
  const count = 2_000;
  for (let made = 0; made < count; made += 400) {
    const changes = Array.from({ length: 400 }, (_, n) => {
      const body = { title: `Task ${made + n}`, projectId: project.id, columnId: columns[n % 2]?.id };
      return { type: "task", kind: "create", body };
    });
    await ok(who, 200, "POST", `${base}/batch`, { changes });
  }
  return { spaceId, count };
}

/** Ids of the comments that a task has ever had. */
async function commentsOf(who: Person, spaceId: string, taskId: string): Promise<string[]> {
  const changes = (await factsOf(who, spaceId)).flatMap((fact) => fact.changes);
  return changes.filter(({ fields }) => fields.taskId?.to === taskId).map(({ id }) => id);
}

/** What an import says on stderr, but for how far it is, and that the server is late. */
const withoutProgress = (err: string): string => err.replaceAll(/^([\d,]+ of|Waiting for) .*\n/gm, "");
const notTaken = (out: string): string[] => out.split("\n").filter((line) => line.startsWith("Not taken: "));

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
        expect([first.code, withoutProgress(first.err)]).toEqual([0, ""]);
        const there = importedInto(first.out);
        expect(there).not.toBe(world.spaceId);
        const before = await keptOf(a(), world.spaceId);
        expect(await keptOf(eve, there)).toEqual(before);
        expect((await ok(eve, 200, "GET", `/v1/spaces/${there}`)).body.name).toBe(`Moving ${difficult.trim()}`);

        const facts = await factsOf(eve, there);
        const second = await moving(eve, away.url, ["import", file]);
        expect([second.code, withoutProgress(second.err)]).toEqual([0, ""]);
        expect(importedInto(second.out)).toBe(there);
        expect(second.out).toContain(": nothing new; ");
        expect(await factsOf(eve, there)).toEqual(facts);

        const back = await exported(eve, away.url, "--space", there);
        const carol = await person(home.url);
        const third = await moving(carol, home.url, ["import", back]);
        expect([third.code, withoutProgress(third.err)]).toEqual([0, ""]);
        expect(await keptOf(carol, importedInto(third.out))).toEqual(before);

        // What is deleted comes back as it was made.
        for (const [id, task] of Object.entries(before.task as Record<string, object>)) {
          if (!("deleted" in task)) continue;
          const made = await ok(a(), 200, "GET", `/v1/spaces/${world.spaceId}/tasks/${id}?version=1`);
          const path = `/v1/spaces/${importedInto(third.out)}/tasks/${id}/restore`;
          const { title, createdAt } = made.body;
          expect((await ok(carol, 200, "POST", path)).body).toMatchObject({ title, createdAt });
        }
      },
      deadlineMs,
    );

    test(
      "every writable field of every type is exported and taken, for the people who are meant",
      async () => {
        const spaceId = await newSpace(a(), "Fields");
        await joinSpace(spaceId, a(), b());
        await makeEveryField(a(), b(), spaceId);
        const fay = await person(away.url);
        const there = await newSpace(eve, "Fields");
        await joinSpace(there, eve, fay);
        const file = await exported(a(), home.url, "--space", spaceId);
        const users = ["--user", `${b().id}=${fay.id}`];
        const { code, err } = await moving(eve, away.url, ["import", "--space", there, ...users, file]);
        expect({ code, err: withoutProgress(err) }).toEqual({ code: 0, err: "" });
        const wanted = JSON.stringify(await keptOf(a(), spaceId))
          .replaceAll(a().id, eve.id)
          .replaceAll(b().id, fay.id);
        expect(await keptOf(eve, there)).toEqual(JSON.parse(wanted));
      },
      deadlineMs,
    );

    test(
      "a line that is damaged is named, with what refers to it, and all others are taken",
      async () => {
        const file = await exported(a(), home.url, "--space", world.spaceId);
        const lines = readFileSync(file, "utf8").split("\n");
        const lineOf = (id: string) =>
          lines.findIndex((line) => line.startsWith('{"line":"document"') && line.includes(`"resource":{"id":"${id}"`));
        const [project, parent] = [lineOf(world.projectId), lineOf(world.parentId)];
        lines[project] = lines[project]?.replace('"type"', '"type') ?? "";
        lines[parent] = lines[parent]?.slice(0, -40) ?? "";
        writeFileSync(file, lines.join("\n"));
        const gus = await person(away.url);
        const { code, out, err } = await moving(gus, away.url, ["import", file]);
        expect(code).toBe(3);
        expect(err).toMatch(/^Imported all but what is named above \(\d+\)\n$/);
        const there = await keptOf(gus, importedInto(out));
        const before = await keptOf(a(), world.spaceId);
        const lost = new Set([
          world.projectId,
          world.parentId,
          ...(await commentsOf(a(), world.spaceId, world.parentId)),
        ]);
        for (const type of ["project", "task", "comment"]) {
          const wanted = Object.entries(before[type] as Record<string, object>).filter(([id]) => !lost.has(id));
          expect(Object.keys(there[type] as object)).toEqual(wanted.map(([id]) => id));
        }
        const named = [...out.matchAll(/^Not taken: line (\d+), (\w+)(?: (\S+))?: (.+)$/gm)];
        const ofLines = named
          .filter(([, , kind]) => kind === "line")
          .map(([, line, , , reason]) => [Number(line), reason]);
        expect(ofLines).toEqual([project, parent].map((at) => [at + 1, "it is damaged"]));
        for (const [, line = "", kind, id, reason] of named) {
          if (kind === "line") continue;
          expect(lines[Number(line) - 1]).toContain(`"id":"${id}"`);
          expect(reason).toMatch(/^(projectId|columnId|parentId|taskId) /);
        }
        const stripped = Object.values(there.task as Record<string, Record<string, unknown>>);
        expect(stripped.filter(({ projectId }) => projectId === world.projectId)).toEqual([]);
        const again = await moving(gus, away.url, ["import", file]);
        expect([again.code, importedInto(again.out)]).toEqual([3, importedInto(out)]);
        expect(again.out).toContain(": nothing new; ");
      },
      deadlineMs,
    );

    test(
      "after kill -9 in the middle it goes on where it was, and everything is there once",
      async () => {
        const { spaceId, count } = await manyTasks(a());
        const file = await exported(a(), home.url, "--space", spaceId);
        const token = await tokenOf(eve, ["tasks:read", "tasks:write", "spaces:admin"]);
        const importing = () => tracker(["import", "--server", away.url, file], { TT_API_TOKEN: token });
        let kills = 0;
        // The read model of servers is behind what is imported: the first kill comes as soon as there is a space.
        for (const share of [0, 0.3]) {
          const { child, exited } = importing();
          await poll("it has come so far", deadlineMs, async () => {
            const found = (await spacesOf(eve)).find(({ space }) => space.name === "Many");
            const tasks = found === undefined ? -1 : (await snapshotOf(eve, found.space.id)).length;
            return child.exitCode !== null || tasks >= share * count;
          });
          if (child.exitCode === null) kills += 1;
          child.kill("SIGKILL");
          await exited;
        }
        expect(kills).toBeGreaterThan(0);
        const { code, out, err } = await importing().exited;
        expect({ code, err: withoutProgress(err) }).toEqual({ code: 0, err: "" });
        const there = importedInto(out);
        expect((await spacesOf(eve)).filter(({ space }) => space.name === "Many")).toHaveLength(1);
        expect(await keptOf(eve, there)).toEqual(await keptOf(a(), spaceId));
        const facts = await factsOf(eve, there);
        expect(facts.map(({ seq }) => seq)).toEqual(facts.map((_, at) => at + 1));
      },
      deadlineMs,
    );

    test(
      "two imports of one file at once make everything once, and neither fails",
      async () => {
        const file = await exported(a(), home.url, "--space", world.spaceId);
        const hal = await person(away.url);
        const both = await Promise.all([1, 2].map(() => moving(hal, away.url, ["import", file])));
        // A busy machine makes either wait, which it tells, and what was not taken is in `out`.
        const told = both.map(({ code, out, err }) => ({ code, notTaken: notTaken(out), err: withoutProgress(err) }));
        expect(told).toEqual(Array(2).fill({ code: 0, notTaken: [], err: "" }));
        const [there = "", other] = both.map(({ out }) => importedInto(out));
        expect(other).toBe(there);
        const counts = both.flatMap(({ out }) =>
          [...out.matchAll(/(\d+) tasks?\b/g)].map(([, count]) => Number(count)),
        );
        const before = await keptOf(a(), world.spaceId);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(Object.keys(before.task as object).length);
        expect({ ...(await keptOf(hal, there)), orders: {} }).toEqual({ ...before, orders: {} });
      },
      deadlineMs,
    );
  });

describe("exports", () => {
  test(
    "hold no secret, are for their owner only, and tell people the whole history",
    async () => {
      const spaceId = await newSpace(a(), "Secrets");
      const base = `/v1/spaces/${spaceId}`;
      const invitation = await ok<Resource & { token: string }>(a(), 201, "POST", `${base}/invitations`, {
        role: "member",
        note: "NOTE",
      });
      await ok(a(), 201, "POST", `${base}/webhooks`, { url: "https://example.org/hook-SECRET" });
      const task = await ok(a(), 201, "POST", `${base}/tasks`, { title: "One" });
      await ok(a(), 200, "PATCH", `${base}/tasks/${task.body.id}`, { title: "Two" });
      const file = await exported(a(), home.url, "--space", spaceId);
      const text = readFileSync(file, "utf8");
      expect(statSync(file).mode & 0o777).toBe(0o600);
      for (const secret of [invitation.body.token, "NOTE", "hook-SECRET", a().email, "tt_", a().tokens.refreshToken])
        expect(text).not.toContain(secret);
      const history = linesIn(file).filter(({ line, id }) => line === "change" && id === task.body.id);
      const { body } = await a().call<{ items: Record<string, unknown>[] }>(
        "GET",
        `${base}/tasks/${task.body.id}/history`,
      );
      expect(history).toEqual(
        body.items.toReversed().map((each) => ({ line: "change", type: "task", id: task.body.id, ...each })) as Line[],
      );
      const [document] = linesIn(file).filter(({ type, line }) => line === "document" && type === "task");
      expect(document?.resource).toEqual((await ok(a(), 200, "GET", `${base}/tasks/${task.body.id}`)).body);
      expect(linesIn(file).filter(({ line }) => line === "user")).toContainEqual({
        line: "user",
        id: a().id,
        name: a().tokens.user.name,
      });
    },
    deadlineMs,
  );

  test(
    "of all spaces go through a pipe into the personal space and new ones, on Deno",
    async () => {
      const [ann, eve] = await Promise.all([person(home.url), person(home.url)]);
      await ok(ann, 201, "POST", "/v1/tasks", { title: "Mine" });
      const shared = await newSpace(ann, "Ours");
      await ok(ann, 201, "POST", `/v1/spaces/${shared}/tasks`, { title: "Ours" });
      const tokens = await Promise.all(
        [ann, eve].map((who) => tokenOf(who, ["tasks:read", "tasks:write", "spaces:admin"])),
      );
      const program = `'${binaryOf("deno")}' run -A --unstable-net '${join(import.meta.dir, "..", "actors", "tracker", "main.ts")}'`;
      const shell = `TT_API_TOKEN=$FROM ${program} export --server $URL - | TT_API_TOKEN=$TO ${program} import --server $URL -`;
      const child = Bun.spawn(["/bin/sh", "-c", shell], {
        env: { PATH: "/usr/bin:/bin", HOME: homedir(), URL: home.url, FROM: tokens[0], TO: tokens[1] },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
      expect({ code: await child.exited, err }).toEqual({ code: 0, err: "" });
      expect(out.match(/^Imported .*$/gm)).toHaveLength(2);
      const spaces = await spacesOf(eve);
      const titles = await Promise.all(
        spaces.map(async ({ space }) =>
          (await snapshotOf(eve, space.id)).filter(({ type }) => type === "task").map(({ resource }) => resource.title),
        ),
      );
      expect(titles.flat()).toEqual(["Mine", "Ours"]);
    },
    deadlineMs,
  );

  test(
    "are of one moment while others write",
    async () => {
      const spaceId = await newSpace(a(), "Busy");
      const base = `/v1/spaces/${spaceId}`;
      let isOver = false;
      const writing = (async () => {
        for (let n = 0; !isOver; n++) {
          const { id } = (await ok(a(), 201, "POST", `${base}/tasks`, { title: `${n}` })).body;
          await ok(a(), 200, "PATCH", `${base}/tasks/${id}`, { priority: "high" });
          if (n % 3 === 0) await ok(a(), 204, "DELETE", `${base}/tasks/${id}`);
        }
      })();
      await poll("something is there", deadlineMs, async () => (await factsOf(a(), spaceId)).length > 50);
      const file = await exported(a(), home.url, "--space", spaceId);
      isOver = true;
      await writing;
      const lines = linesIn(file);
      const seq = lines.find(({ line }) => line === "space")?.seq as number;
      const changes = lines.filter(({ line }) => line === "change");
      expect([...new Set(changes.map((each) => each.seq))].sort((x, y) => Number(x) - Number(y))).toEqual(
        Array.from({ length: seq }, (_, at) => at + 1),
      );
      const documents = lines.filter(({ line, type }) => line === "document" && type === "task") as unknown as {
        deleted: boolean;
        resource: Resource;
      }[];
      for (const { deleted, resource } of documents) {
        const own = changes.filter(({ id }) => id === resource.id);
        expect([resource.version, deleted]).toEqual([own.length, own.at(-1)?.kind === "deleted"]);
        expect(resource.priority).toBe(own.length > 1 ? "high" : "none");
      }
    },
    deadlineMs,
  );

  test(
    "can be made by a viewer, who cannot import there",
    async () => {
      const dan = await person(home.url);
      await joinSpace(world.spaceId, a(), dan, "viewer");
      const file = await exported(dan, home.url, "--space", world.spaceId);
      expect(linesIn(file).filter(({ line }) => line === "document").length).toBeGreaterThan(30);
      expect(await moving(dan, home.url, ["import", "--space", world.spaceId, file])).toEqual({
        code: 2,
        out: "",
        err: `Cannot import into the space ${world.spaceId}: the token's user is a viewer there\n`,
      });
    },
    deadlineMs,
  );

  test(
    "lose nothing when they are imported into the space that they are of",
    async () => {
      const facts = await factsOf(a(), world.spaceId);
      const file = await exported(a(), home.url, "--space", world.spaceId);
      const { code, out } = await moving(a(), home.url, ["import", "--space", world.spaceId, file]);
      expect([code, out.includes(": nothing new; ")]).toEqual([0, true]);
      expect(await factsOf(a(), world.spaceId)).toEqual(facts);
    },
    deadlineMs,
  );
});

test(
  "the commands of docs/moving.md do what they say",
  async () => {
    const page = readFileSync(join(import.meta.dir, "..", "docs", "moving.md"), "utf8");
    const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code);
    expect(blocks).toHaveLength(2);
    const [ann, eve] = await Promise.all([person(home.url), person(home.url)]);
    await ok(ann, 201, "POST", "/v1/tasks", { title: "Mine" });
    const desk = temporaryFolder();
    writeFileSync(join(desk, "old-token"), await tokenOf(ann, ["tasks:read"]));
    writeFileSync(join(desk, "new-token"), await tokenOf(eve, ["tasks:read", "tasks:write"]));
    const program = join(import.meta.dir, "..", "actors", "tracker", "main.ts");
    const script = blocks.join("").replaceAll("bun run tracker", `'${process.execPath}' '${program}'`);
    const child = Bun.spawn(["/bin/sh", "-ec", script], {
      cwd: desk,
      env: { PATH: "/usr/bin:/bin", OLD: home.url, NEW: home.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    expect({ code: await child.exited, err }).toEqual({ code: 0, err: "" });
    expect([...out.matchAll(/^Imported "Personal" into \S+: (.*)$/gm)].map(([, what]) => what)).toEqual([
      "1 task",
      "nothing new; 1 was there",
      "nothing new; 1 was there",
    ]);
  },
  deadlineMs,
);

describe("refusals", () => {
  test(
    "tell in one line what is wrong, and nothing is changed",
    async () => {
      const file = await exported(a(), home.url, "--space", world.spaceId);
      const cut = newFile();
      writeFileSync(cut, readFileSync(file).subarray(0, 20_000));
      const none = newFile();
      writeFileSync(none, '{"title":"Buy milk"}\n');
      const later = newFile();
      writeFileSync(later, readFileSync(file, "utf8").replace('"format":1', '"format":2'));
      const stranger = await person(home.url);
      const refused = async (who: Person, args: string[], line: string | RegExp) => {
        const { code, out, err } = await moving(who, home.url, args);
        expect([args, code, out, err]).toEqual([args, 2, expect.any(String), expect.stringMatching(line)]);
      };
      await refused(
        a(),
        ["import", cut],
        /^Cannot import .*: its last line is missing or damaged, .*--incomplete takes what is there\n$/,
      );
      await refused(a(), ["import", none], /: it is no export, its first line says nothing of one\n$/);
      await refused(a(), ["import", later], /: it has the format 2, and this program knows 1\n$/);
      await refused(a(), ["import", "/nonexistent"], /^Cannot read \/nonexistent: ENOENT\n$/);
      await refused(a(), ["export", file], /: the file exists; give another name or remove it\n$/);
      await refused(
        stranger,
        ["export", "--space", world.spaceId, newFile()],
        /: the token's user is no member of it\n$/,
      );
      await refused(stranger, ["import", "--space", world.spaceId, file], /: the token's user is no member of it\n$/);
      expect(await spacesOf(stranger)).toHaveLength(1);
      const { code } = await moving(stranger, home.url, ["import", "--incomplete", cut]);
      expect([0, 3]).toContain(code as number);
      expect(await spacesOf(stranger)).toHaveLength(2);
    },
    deadlineMs,
  );

  test(
    "of a token tell which one is needed, and never the token",
    async () => {
      const file = newFile();
      const run = (env: Record<string, string>, ...more: string[]) =>
        tracker(["export", "--server", home.url, ...more, file], env).exited;
      const none = await run({});
      expect([none.code, none.err]).toEqual([
        2,
        "Cannot sign in: give an API token in TT_API_TOKEN, or a file with one in TT_API_TOKEN_FILE; see `tracker help export`\n",
      ]);
      const wrong = await run({ TT_API_TOKEN: "tt_wrong-SECRET" });
      expect([wrong.code, wrong.out, wrong.err]).toEqual([
        2,
        "",
        `Cannot sign in at ${home.url}: the API token is wrong, expired or revoked\n`,
      ]);
      const lacking = await run({ TT_API_TOKEN: await tokenOf(a(), ["tasks:write"]) });
      expect([lacking.code, lacking.err]).toEqual([2, expect.stringMatching(/lacks a scope \(tasks:read; /)]);
      const path = newFile();
      writeFileSync(path, `${await tokenOf(a(), ["tasks:read"])}\n`);
      expect(await run({ TT_API_TOKEN_FILE: path })).toMatchObject({ code: 0, err: "" });
      expect(await tracker(["export", "--server", "http://ada:SECRET@127.0.0.1:1", file], {}).exited).toEqual({
        code: 2,
        out: "",
        err: "Cannot use this --server: it must be like https://example.org or http://127.0.0.1:3000; see `tracker help export`\n",
      });
    },
    deadlineMs,
  );

  test.skipIf(Bun.which("script") === null)(
    "of a token that is typed do not show it (skipped where there is no script)",
    async () => {
      const token = await tokenOf(a(), ["tasks:read"]);
      const program = join(import.meta.dir, "..", "actors", "tracker", "main.ts");
      const shell = `'${process.execPath}' '${program}' export --server ${home.url} --space me ${newFile()}`;
      const child = Bun.spawn(["script", "-qec", shell, "/dev/null"], {
        env: { PATH: "/usr/bin:/bin", TERM: "xterm", SHELL: "/bin/sh" },
        stdio: ["pipe", "pipe", "ignore"],
      });
      let text = "";
      const decoder = new TextDecoder();
      let isTyped = false;
      for await (const part of child.stdout) {
        text += decoder.decode(part, { stream: true });
        if (isTyped || !text.includes("API token (it is not shown): ")) continue;
        isTyped = true;
        child.stdin.write(`${token}\r`);
        await child.stdin.flush();
      }
      expect([await child.exited, text]).toEqual([0, expect.stringContaining("Exported ")]);
      expect(text).not.toContain(token);
    },
    deadlineMs,
  );

  test(
    "by a server that is busy or away are waited for",
    async () => {
      const { spaceId } = await manyTasks(a());
      const file = await exported(a(), home.url, "--space", spaceId);
      const ports = [await freePort(), await freePort()] as const;
      const env = { TT_RATE_LIMIT: "400/2" };
      const narrow = await start({ env, ports });
      const gil = await person(narrow.url);
      const token = await tokenOf(gil, ["tasks:read", "tasks:write", "spaces:admin"]);
      const importing = tracker(["import", "--server", narrow.url, file], { TT_API_TOKEN: token });
      await poll("it waits for its turn", deadlineMs, () => importing.err().includes("its rate limit is reached"));
      await narrow.end("SIGKILL");
      await poll("it waits for the server", deadlineMs, () => importing.err().includes("it cannot be reached"));
      // Without the limit, so that what came is read at once.
      const again = await start({ ports, dataDir: narrow.dataDir });
      const { code, out } = await importing.exited;
      expect(code).toBe(0);
      const { body } = await gil.call<{ seq: number }>("GET", `/v1/spaces/${importedInto(out)}/facts?limit=1`);
      expect(body.seq).toBeGreaterThan(3);
      expect((await snapshotOf(gil, importedInto(out))).length).toBe((await snapshotOf(a(), spaceId)).length);
      await again.end("SIGTERM");
    },
    deadlineMs,
  );
});
