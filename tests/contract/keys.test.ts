/** The port `Keys` over each adapter, and the schema that PostgreSQL's adapters stand on. */
import { expect, test } from "bun:test";
import { makeKey, signingKey } from "../../actors/auth/keys.ts";
import { storesInPostgres } from "../../actors/auth/postgres/stores.ts";
import { connectPostgres } from "../../actors/postgres/connect.ts";
import { describeWith } from "../system/services.ts";
import { freshDatabase, overEachAdapter, overPostgresFaults, server } from "./auth-ports.ts";

overEachAdapter("keys", ({ open, again }) => {
  test("the first key is made once and stays the newest", async () => {
    const { keys } = await open();
    let makes = 0;
    const make = () => {
      makes += 1;
      return makeKey();
    };
    const first = await keys.newest(make, 1);
    expect(await keys.newest(make, 2)).toEqual(first);
    expect(await (await again()).keys.newest(make, 3)).toEqual(first);
    expect(makes).toBe(1);
  });

  test("all who start at once agree on one key", async () => {
    const stores = [await open(), await again(), await again()];
    const found = await Promise.all([...stores, ...stores, ...stores].map(({ keys }) => keys.newest(makeKey, 1)));
    expect(new Set(found.map(({ kid, privateJwk }) => kid + privateJwk)).size).toBe(1);
  });

  test("a key signs, and is told without its private part", async () => {
    const key = await signingKey((await open()).keys, 1);
    const { kid, kty, crv, x, ...rest } = key.jwks.keys[0] ?? {};
    expect([kid, kty, crv, x?.length, rest]).toEqual([key.kid, "OKP", "Ed25519", 43, { alg: "EdDSA", use: "sig" }]);
    expect(key.privateKey.asymmetricKeyType).toBe("ed25519");
  });
});

overPostgresFaults("keys", ({ keys }) => keys.newest(makeKey, 1));

describeWith("the schema in PostgreSQL", [server], ({ url: serverUrl }) => {
  test("is made once by many that start at once on an empty database", async () => {
    const database = await freshDatabase(serverUrl);
    const all = Array.from({ length: 8 }, () => storesInPostgres({ url: database.url }));
    await Promise.all(all.map(({ server }) => server?.prepare()));
    const found = await Promise.all(all.map(({ keys }) => keys.newest(makeKey, 1)));
    expect(new Set(found.map(({ kid }) => kid)).size).toBe(1);
    await Promise.all(all.map(({ close }) => close()));
    await database.remove();
  });

  test("of a newer program is refused with one line, and left as it is", async () => {
    const database = await freshDatabase(serverUrl);
    const { sql, close } = connectPostgres({ url: database.url });
    await sql`CREATE TABLE schema_version (version integer NOT NULL)`;
    await sql`INSERT INTO schema_version VALUES (99)`;
    const stores = storesInPostgres({ url: database.url });
    await expect(stores.server?.prepare()).rejects.toThrow(
      /^Cannot use the database: its schema version 99 is newer than \d+, the newest that this program knows$/,
    );
    const tables = await sql<{ name: string }>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
    expect(tables).toEqual([{ name: "schema_version" }]);
    await Promise.all([close(), stores.close()]);
    await database.remove();
  });
});
