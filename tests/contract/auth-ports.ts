/** What the contract suites of auth's ports share: the adapters, each on a fresh store, and the faults that a server's adapter must get over. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { storesInPostgres } from "../../actors/auth/postgres/stores.ts";
import { storesInSqlite } from "../../actors/auth/sqlite/stores.ts";
import type { Stores } from "../../actors/auth/stores.ts";
import { type FaultProxy, faultProxy, type Mode } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";

/** One store, new and empty; each `open` is a process of its own to it. */
export type Fresh = { open(): Promise<Stores>; remove(): Promise<void> };
export type Adapter = { readonly name: string; fresh(): Promise<Fresh> };

export const sqlite: Adapter = {
  name: "SQLite",
  async fresh() {
    const folder = mkdtempSync(join(tmpdir(), "auth-contract-"));
    const opened: Stores[] = [];
    return {
      async open() {
        const stores = storesInSqlite(folder);
        opened.push(stores);
        return stores;
      },
      async remove() {
        for (const stores of opened) await stores.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

/** A database of its own on the server, by its URL. */
export async function freshDatabase(serverUrl: string): Promise<{ url: string; remove(): Promise<void> }> {
  const name = `test_${process.pid}_${crypto.randomUUID().slice(0, 8)}`;
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} });
  await admin.unsafe(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async remove() {
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end({ timeout: 2 });
    },
  };
}

export function inPostgres(serverUrl: string): Adapter {
  return {
    name: "PostgreSQL",
    async fresh() {
      const database = await freshDatabase(serverUrl);
      const opened: Stores[] = [];
      return {
        async open() {
          const stores = storesInPostgres({ url: database.url });
          opened.push(stores);
          await stores.server?.prepare();
          return stores;
        },
        async remove() {
          await Promise.all(opened.map((stores) => stores.close()));
          await database.remove();
        },
      };
    },
  };
}

export const server = await service("DATABASE_URL");

/** The same cases over each adapter. `open` makes a fresh store; `again` opens it once more, as another process would. */
export function overEachAdapter(
  port: string,
  cases: (given: { open(): Promise<Stores>; again(): Promise<Stores> }) => void,
): void {
  const suite = (adapter: Adapter) => {
    const made: Fresh[] = [];
    afterAll(async () => {
      await Promise.all(made.map((fresh) => fresh.remove()));
    });
    const open = async () => {
      const fresh = await adapter.fresh();
      made.push(fresh);
      return await fresh.open();
    };
    cases({ open, again: () => (made.at(-1) as Fresh).open() });
  };
  describe(`${port} in ${sqlite.name}`, () => suite(sqlite));
  describeWith(`${port} in PostgreSQL`, [server], ({ url }) => suite(inPostgres(url)));
}

/** A statement's own deadline is 2 s. */
const settlesMs = 2_500;

/** Each call settles in time whatever happens on the way to PostgreSQL, and works again afterwards, on the same connection to it. */
export function overPostgresFaults(port: string, call: (stores: Stores, number: number) => Promise<unknown>): void {
  describeWith(`${port} in PostgreSQL, on a bad line`, [server], ({ url: serverUrl }) => {
    let proxy: FaultProxy;
    let stores: Stores;
    let database: Awaited<ReturnType<typeof freshDatabase>>;
    let calls = 0;
    const one = () => call(stores, (calls += 1));

    beforeAll(async () => {
      database = await freshDatabase(serverUrl);
      proxy = await faultProxy(Number(new URL(serverUrl).port));
      const url = new URL(database.url);
      url.hostname = "127.0.0.1";
      url.port = String(proxy.port);
      stores = storesInPostgres({ url: url.href });
      await stores.server?.prepare();
    });
    afterAll(async () => {
      await stores.close();
      await proxy.close();
      await database.remove();
    });

    const settled = async (): Promise<"done" | "failed"> => {
      const began = performance.now();
      const outcome = await one().then(
        () => "done" as const,
        () => "failed" as const,
      );
      expect(performance.now() - began).toBeLessThan(settlesMs);
      return outcome;
    };
    const outcomes: [Mode, "done" | "failed"][] = [
      ["slow", "done"],
      ["refuse", "failed"],
      ["cut", "failed"],
      ["stall", "failed"],
      ["drop-replies", "failed"],
    ];
    for (const [mode, outcome] of outcomes) {
      test(`${mode}: each call is ${outcome} in time, and all is well when it is over`, async () => {
        await one();
        await proxy.mode(mode, { delayMs: 50 });
        // More than there are connections, so that some wait for one.
        const during = await Promise.all(Array.from({ length: 24 }, settled));
        expect(new Set(during)).toEqual(new Set([outcome]));
        await proxy.mode("pass");
        await poll("it works again", 60_000, async () => (await settled()) === "done");
        expect(await Promise.all(Array.from({ length: 24 }, settled))).not.toContain("failed");
      }, 120_000);
    }

    test("a fault in the midst of calls fails only some, each in time", async () => {
      const under = Promise.all(Array.from({ length: 50 }, settled));
      await proxy.mode("cut");
      await proxy.mode("pass");
      await under;
      await poll("it works again", 60_000, async () => (await settled()) === "done");
    });
  });
}
