/** The port `Sessions` over each adapter. */
import { describe, expect, test } from "bun:test";
import { refreshGraceMs as graceMs, revocationMs } from "../../actors/auth/lifetimes.ts";
import type { Rotation, SessionRecord, Sessions } from "../../actors/auth/ports.ts";
import { storesInPostgres } from "../../actors/auth/postgres/stores.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { describeWith, privateService } from "../system/services.ts";
import { inPostgres, overEachAdapter, overPostgresFaults, server, sqlite } from "./auth-ports.ts";

const startMs = 1_700_000_000_000;
const idleMs = 86_400_000;
let made = 0;

function session(more: Partial<SessionRecord> = {}): SessionRecord {
  made += 1;
  return {
    id: crypto.randomUUID(),
    userId: "ada",
    userAgent: null,
    createdMs: startMs + made,
    usedMs: startMs + made,
    expiresMs: startMs + idleMs,
    ...more,
  };
}

function rotation(presented: string, next: string, nowMs: number): Rotation {
  return { presented, next, nowMs, graceMs, expiresMs: nowMs + idleMs };
}

const byId = <T extends { sessionId: string }>(ended: T[]) =>
  ended.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));

overEachAdapter("sessions", ({ open, again }) => {
  test("a session lives from when it is opened until it runs out, exactly as it was given", async () => {
    const { sessions } = await open();
    const one = session({ userAgent: "Mozilla/5.0 (é; 'x\")" });
    await sessions.open(one, "hash");
    for (const of of [{ sessionId: one.id }, { userId: "ada" }]) {
      expect(await sessions.living(of, startMs)).toEqual([one]);
      expect(await sessions.living(of, one.expiresMs - 1)).toEqual([one]);
      expect(await sessions.living(of, one.expiresMs)).toEqual([]);
    }
    expect(await sessions.living({ userId: "bob" }, startMs)).toEqual([]);
    expect(await sessions.living({ sessionId: "" }, startMs)).toEqual([]);
  });

  test("a user's sessions are listed oldest first, by id where they are of the same instant", async () => {
    const { sessions } = await open();
    const ids = ["b", "B", "a", "é", "aa"];
    const all = [
      ...ids.map((id) => session({ id, createdMs: startMs })),
      session({ id: "0", createdMs: startMs + 1 }),
      session({ id: "z", createdMs: startMs - 1 }),
    ];
    for (const each of all) await sessions.open(each, each.id);
    const listed = await sessions.living({ userId: "ada" }, startMs);
    expect(listed.map(({ id }) => id)).toEqual(["z", "B", "a", "aa", "b", "é", "0"]);
  });

  describe("a refresh token", () => {
    test("is spent for the next, which moves its session on", async () => {
      const { sessions } = await open();
      const one = session();
      await sessions.open(one, "r1");
      const nowMs = startMs + 1_000;
      const moved = { ...one, usedMs: nowMs, expiresMs: nowMs + idleMs };
      expect(await sessions.rotate(rotation("r1", "r2", nowMs))).toEqual({ outcome: "rotated", session: moved });
      expect(await sessions.living({ sessionId: one.id }, one.expiresMs)).toEqual([moved]);
      expect((await sessions.rotate(rotation("r2", "r3", nowMs + 1))).outcome).toBe("rotated");
    });

    test("that nobody was given is unknown, and nothing comes of it", async () => {
      const { sessions } = await open();
      const one = session();
      await sessions.open(one, "r1");
      expect(await sessions.rotate(rotation("R1", "r2", startMs))).toEqual({ outcome: "unknown" });
      expect(await sessions.rotate(rotation("r2", "r3", startMs))).toEqual({ outcome: "unknown" });
      expect(await sessions.living({ sessionId: one.id }, startMs)).toEqual([one]);
    });

    test("may be spent again within the grace for its one successor, which goes on", async () => {
      const { sessions } = await open();
      const one = session();
      await sessions.open(one, "r1");
      for (const nowMs of [startMs, startMs + 1, startMs + graceMs]) {
        const moved = { ...one, usedMs: nowMs, expiresMs: nowMs + idleMs };
        expect(await sessions.rotate(rotation("r1", "r2", nowMs))).toEqual({ outcome: "rotated", session: moved });
      }
      expect((await sessions.rotate(rotation("r2", "r3", startMs + graceMs))).outcome).toBe("rotated");
    });

    test("has one successor: for another it is unknown, and its session goes on", async () => {
      const { sessions } = await open();
      await sessions.open(session(), "r1");
      await sessions.rotate(rotation("r1", "r2", startMs));
      expect(await sessions.rotate(rotation("r1", "other", startMs))).toEqual({ outcome: "unknown" });
      expect(await sessions.rotate(rotation("other", "r3", startMs))).toEqual({ outcome: "unknown" });
      expect((await sessions.rotate(rotation("r2", "r3", startMs))).outcome).toBe("rotated");
    });

    test("ends its session when it comes again after the grace, counted from the first time", async () => {
      const { sessions } = await open();
      const one = session();
      await sessions.open(one, "r1");
      await sessions.rotate(rotation("r1", "a", startMs));
      await sessions.rotate(rotation("r1", "a", startMs + graceMs));
      const nowMs = startMs + graceMs + 1;
      const revoked = { sessionId: one.id, untilMs: nowMs + revocationMs };
      expect(await sessions.rotate(rotation("r1", "a", nowMs))).toEqual({ outcome: "reused", revoked });
      expect(await sessions.living({ sessionId: one.id }, nowMs)).toEqual([]);
      expect(await sessions.revoked(nowMs)).toEqual([revoked]);
      for (const hash of ["r1", "a"])
        expect(await sessions.rotate(rotation(hash, `${hash}'`, nowMs))).toEqual({ outcome: "unknown" });
    });

    test("ends its session at once when its successor was spent", async () => {
      const { sessions } = await open();
      await sessions.open(session(), "r1");
      await sessions.rotate(rotation("r1", "r2", startMs));
      await sessions.rotate(rotation("r2", "r3", startMs));
      expect((await sessions.rotate(rotation("r1", "r2", startMs))).outcome).toBe("reused");
      expect((await sessions.rotate(rotation("r3", "r4", startMs))).outcome).toBe("unknown");
    });

    test("is worth nothing once its session has ended or run out", async () => {
      const { sessions } = await open();
      const [ended, old] = [session(), session({ expiresMs: startMs + 10 })];
      await sessions.open(ended, "e");
      await sessions.open(old, "o");
      await sessions.end({ userId: "ada", sessionId: ended.id }, startMs);
      expect(await sessions.rotate(rotation("e", "e2", startMs))).toEqual({ outcome: "unknown" });
      expect((await sessions.rotate(rotation("o", "o2", startMs + 9))).outcome).toBe("rotated");
      await sessions.open(session({ id: "late", expiresMs: startMs + 10 }), "l");
      expect(await sessions.rotate(rotation("l", "l2", startMs + 10))).toEqual({ outcome: "unknown" });
    });

    test("sent by many at once, through two processes, is answered each time and leaves one line", async () => {
      const stores = [(await open()).sessions, (await again()).sessions] as const;
      await stores[0].open(session(), "r1");
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) => stores[index % 2 === 0 ? 0 : 1].rotate(rotation("r1", "r2", startMs))),
      );
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 20 }, () => "rotated"));
      const spent = await Promise.all(stores.map((each) => each.rotate(rotation("r2", "r3", startMs))));
      expect(spent.map(({ outcome }) => outcome)).toEqual(["rotated", "rotated"]);
      expect((await stores[0].rotate(rotation("r3", "r4", startMs))).outcome).toBe("rotated");
      expect((await stores[1].rotate(rotation("r2", "r3", startMs))).outcome).toBe("reused");
    });

    test("of a chain that is spent by two at once ends in one ended session or goes on: never both", async () => {
      const [ours, theirs] = [(await open()).sessions, (await again()).sessions];
      for (let round = 0; round < 20; round += 1) {
        const one = session();
        const r = (name: string) => `${round}.${name}`;
        await ours.open(one, r("1"));
        await ours.rotate(rotation(r("1"), r("2"), startMs));
        // The thief follows the old token while the owner spends the new one.
        const [owner, thief] = await Promise.all([
          ours.rotate(rotation(r("2"), r("3"), startMs)),
          theirs.rotate(rotation(r("1"), r("2"), startMs)),
        ]);
        const lives = (await ours.living({ sessionId: one.id }, startMs)).length === 1;
        if (thief.outcome === "reused") expect([lives, owner.outcome === "reused"]).toEqual([false, false]);
        else expect([lives, owner.outcome, thief.outcome]).toEqual([true, "rotated", "rotated"]);
      }
    });
  });

  describe("ending", () => {
    test("one, all, or all but one ends those of the user that live, and answers them", async () => {
      const { sessions } = await open();
      const mine = [session(), session(), session(), session()] as const;
      const theirs = session({ userId: "bob" });
      const old = session({ expiresMs: startMs + 5 });
      for (const each of [...mine, theirs, old]) await sessions.open(each, each.id);
      const nowMs = startMs + 5;
      const until = ({ id }: SessionRecord) => ({ sessionId: id, untilMs: nowMs + revocationMs });
      expect(await sessions.end({ userId: "ada", sessionId: theirs.id }, nowMs)).toEqual([]);
      expect(await sessions.end({ userId: "bob", sessionId: mine[0].id }, nowMs)).toEqual([]);
      expect(await sessions.end({ userId: "ada", sessionId: old.id }, nowMs)).toEqual([]);
      expect(await sessions.end({ userId: "ada", sessionId: mine[0].id }, nowMs)).toEqual([until(mine[0])]);
      expect(await sessions.end({ userId: "ada", sessionId: mine[0].id }, nowMs)).toEqual([]);
      expect(await sessions.end({ userId: "ada", sessionId: mine[1].id, exceptId: mine[1].id }, nowMs)).toEqual([]);
      expect(byId(await sessions.end({ userId: "ada", exceptId: mine[1].id }, nowMs))).toEqual(
        byId([until(mine[2]), until(mine[3])]),
      );
      expect(await sessions.end({ userId: "ada" }, nowMs)).toEqual([until(mine[1])]);
      expect(await sessions.end({ userId: "ada" }, nowMs)).toEqual([]);
      expect(await sessions.living({ userId: "bob" }, nowMs)).toEqual([theirs]);
      expect(byId(await sessions.revoked(nowMs))).toEqual(byId(mine.map(until)));
    });

    test("is remembered as long as access tokens may be in date, and not longer", async () => {
      const { sessions } = await open();
      const one = session();
      await sessions.open(one, "r");
      const [ended] = await sessions.end({ userId: "ada" }, startMs);
      if (ended === undefined) throw new Error("Nothing was ended");
      expect(await sessions.revoked(ended.untilMs - 1)).toEqual([ended]);
      expect(await sessions.revoked(ended.untilMs)).toEqual([]);
    });

    test("by two at once answers each session to one of them", async () => {
      const [ours, theirs] = [(await open()).sessions, (await again()).sessions];
      const all = Array.from({ length: 10 }, () => session());
      for (const each of all) await ours.open(each, each.id);
      const both = await Promise.all([ours.end({ userId: "ada" }, startMs), theirs.end({ userId: "ada" }, startMs)]);
      expect(
        both
          .flat()
          .map(({ sessionId }) => sessionId)
          .sort(),
      ).toEqual(all.map(({ id }) => id).sort());
    });

    test("while a token is being spent ends the session all the same", async () => {
      const [ours, theirs] = [(await open()).sessions, (await again()).sessions];
      for (let round = 0; round < 20; round += 1) {
        const one = session();
        await ours.open(one, `${round}.1`);
        const [rotated, ended] = await Promise.all([
          ours.rotate(rotation(`${round}.1`, `${round}.2`, startMs)),
          theirs.end({ userId: "ada", sessionId: one.id }, startMs),
        ]);
        expect(ended).toHaveLength(1);
        expect(["rotated", "unknown"]).toContain(rotated.outcome);
        expect(await ours.rotate(rotation(`${round}.2`, `${round}.3`, startMs))).toEqual({ outcome: "unknown" });
      }
    });
  });

  test("opening removes what has long run out or ended, with its tokens, and nothing else", async () => {
    const { sessions } = await open();
    const [ranOut, ended, lives] = [session({ expiresMs: startMs + 100 }), session(), session()];
    for (const each of [ranOut, ended, lives]) await sessions.open(each, each.id);
    await sessions.end({ userId: "ada", sessionId: ended.id }, startMs + 100);
    const lateMs = startMs + 100 + revocationMs;
    // In time nothing of it is removed: the same ids are taken.
    await sessions.open(session({ createdMs: lateMs }), "in time");
    for (const each of [ranOut, ended, lives]) await expect(sessions.open(each, crypto.randomUUID())).rejects.toThrow();
    await sessions.open(session({ createdMs: lateMs + 1 }), "later");
    for (const each of [ranOut, ended]) await sessions.open({ ...each, createdMs: startMs }, each.id);
    await expect(sessions.open(lives, crypto.randomUUID())).rejects.toThrow();
    expect(await sessions.living({ sessionId: lives.id }, startMs)).toEqual([lives]);
  });

  test("what was answered is there for whoever opens the store afterwards", async () => {
    const { sessions } = await open();
    const one = session();
    await sessions.open(one, "r1");
    await sessions.rotate(rotation("r1", "r2", startMs));
    const { sessions: later } = await again();
    expect(await later.living({ userId: "ada" }, startMs)).toMatchObject([{ id: one.id, usedMs: startMs }]);
    expect((await later.rotate(rotation("r2", "r3", startMs))).outcome).toBe("rotated");
  });
});

overPostgresFaults("sessions", async ({ sessions }, number) => {
  const one = session({ userId: `user ${number}` });
  await sessions.open(one, `${number}.1`);
  expect((await sessions.rotate(rotation(`${number}.1`, `${number}.2`, startMs))).outcome).toBe("rotated");
  expect(await sessions.living({ userId: one.userId }, startMs)).toMatchObject([{ id: one.id }]);
  expect(await sessions.end({ userId: one.userId }, startMs)).toMatchObject([{ sessionId: one.id }]);
});

/** Does the same random things to any store and writes down what it answered. */
async function story(sessions: Sessions, seed: number): Promise<unknown[]> {
  const choose = random(seed);
  const told: unknown[] = [];
  const users = ["ada", "bob", "cyd"];
  const ids: string[] = [];
  const hashes: string[] = [];
  let nowMs = startMs;
  for (let step = 0; step < 400; step += 1) {
    nowMs += choose.pick([0, 1, 1_000, graceMs - 1, graceMs, graceMs + 1, 400_000]);
    const userId = choose.pick(users);
    const id = ids.length === 0 ? "none" : choose.pick(ids.slice(-12));
    const kind = choose.int(10);
    if (kind <= 1) {
      ids.push(`s${step}`);
      hashes.push(`h${step}`);
      const lifeMs = choose.pick([1_000, 50_000, idleMs]);
      const opened = {
        createdMs: nowMs,
        usedMs: nowMs,
        expiresMs: nowMs + lifeMs,
        userAgent: choose.pick([null, "x"]),
      };
      await sessions.open({ id: `s${step}`, userId, ...opened }, `h${step}`);
    } else if (kind <= 6 && hashes.length > 0) {
      const presented = choose.pick(hashes.slice(-8));
      const next = choose.chance(0.95) ? `${presented}'` : `h${step}`;
      told.push(await sessions.rotate(rotation(presented, next, nowMs)));
      hashes.push(next);
    } else if (kind === 7) told.push(byId(await sessions.end({ userId, sessionId: id }, nowMs)));
    else if (kind === 8) {
      const which = choose.pick([{}, { exceptId: id }]);
      if (choose.chance(0.3)) told.push(byId(await sessions.end({ userId, ...which }, nowMs)));
    }
    told.push(await sessions.living(choose.pick([{ userId }, { sessionId: id }]), nowMs));
    told.push(byId(await sessions.revoked(nowMs)));
  }
  return told;
}

describeWith("sessions in PostgreSQL", [server], ({ url }) => {
  const seed = Number(process.hrtime.bigint() % 1_000_000n);
  test(`answer any story as those in SQLite do (seed ${seed} and the next two)`, async () => {
    for (const each of [seed, seed + 1, seed + 2]) {
      const stores = [await sqlite.fresh(), await inPostgres(url).fresh()] as const;
      const [one, other] = [await stores[0].open(), await stores[1].open()];
      const told = [await story(one.sessions, each), await story(other.sessions, each)];
      expect(told[1]).toEqual(told[0] as unknown[]);
      const outcomes = new Set(told[0]?.map((answer) => (answer as { outcome?: string }).outcome));
      expect([...outcomes].sort()).toEqual(["reused", "rotated", "unknown", undefined] as never);
      for (const fresh of stores) await fresh.remove();
    }
  });
});

describeWith("sessions in PostgreSQL", [await privateService("postgres")], (postgres) => {
  test("that were answered survive kill -9 of the server in the midst of it, and go on without a restart of ours", async () => {
    const stores = storesInPostgres({ url: postgres.url });
    try {
      await stores.server?.prepare();
      const { sessions, users } = stores;
      const chains = await Promise.all(
        Array.from({ length: 8 }, async (_, lane) => {
          const one = session({ userId: `user ${lane}` });
          await sessions.open(one, `${lane}.0`);
          return { id: one.id, lane, link: 0 };
        }),
      );
      let answered = 0;
      let running = true;
      const outcomes = new Set<string>();
      const registered: string[] = [];
      const refreshing = chains.map(async (chain) => {
        while (running) {
          const next = chain.link + 1;
          try {
            // The outcome of a try that failed is unknown: the same token is sent again, within the grace.
            const { outcome } = await sessions.rotate(
              rotation(`${chain.lane}.${chain.link}`, `${chain.lane}.${next}`, startMs),
            );
            outcomes.add(outcome);
            chain.link = next;
            answered += 1;
            const id = `${chain.lane}.${next}`;
            await users.insert({ id, email: id, emailKey: id, name: null, passwordHash: "h", createdMs: startMs });
            registered.push(id);
          } catch {
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      });
      for (let round = 0; round < 3; round += 1) {
        const before = answered;
        await poll("tokens are spent", 60_000, () => answered >= before + 100);
        await postgres.kill();
        await postgres.restart();
      }
      const before = answered;
      await poll("it goes on", 60_000, () => answered >= before + 100);
      running = false;
      await Promise.all(refreshing);
      expect([...outcomes]).toEqual(["rotated"]);
      for (const { lane, link } of chains)
        expect((await sessions.rotate(rotation(`${lane}.${link}`, `${lane}.${link + 1}`, startMs))).outcome).toBe(
          "rotated",
        );
      for (const id of registered) expect(await users.byId(id), id).toBeDefined();
      expect(registered.length).toBeGreaterThan(300);
    } finally {
      await stores.close();
      await postgres.stop();
    }
  }, 120_000);
});
