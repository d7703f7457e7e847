/** PostgreSQL and Redis over TLS: whom we trust, and whom not. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { connectPostgres } from "../../actors/postgres/connect.ts";
import { connectRedis } from "../../actors/redis/connect.ts";
import { poll } from "../system/poll.ts";
import { freePort } from "../system/server.ts";
import { describeWith, type Missing, privateService } from "../system/services.ts";

const folder = mkdtempSync(join(tmpdir(), "tls-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An authority of our own, and what it says of two servers: one with this machine's names, one with another's. */
function certificates(): { ca: string } | Missing {
  if (Bun.which("openssl") === null) return { missing: "openssl: not on the PATH" };
  const openssl = (...args: string[]) => {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { cwd: folder });
    if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority", "-days", "2");
  for (const [name, names] of [
    ["here", "DNS:localhost,IP:127.0.0.1"],
    ["elsewhere", "DNS:other.example,IP:192.0.2.1"],
  ] as const) {
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}`);
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`];
    openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.pem`, ...by);
  }
  return { ca: readFileSync(join(folder, "ca.pem"), "utf8") };
}
const trust = certificates();

describeWith("PostgreSQL over TLS", [await privateService("postgres"), trust], (server, { ca }) => {
  const admin = postgres(server.url, { max: 1 });
  afterAll(async () => {
    await admin.end({ timeout: 1 });
    await server.stop();
  });

  /** The server's user may read what it wrote itself. */
  async function serve(name: "here" | "elsewhere"): Promise<void> {
    for (const [file, from] of [
      ["server.key", `${name}.key`],
      ["server.crt", `${name}.pem`],
    ] as const) {
      const text = readFileSync(join(folder, from)).toString("base64");
      await admin.unsafe(`COPY (VALUES ('${text}')) TO PROGRAM 'base64 -d > ${file} && chmod 600 ${file}'`);
    }
    await admin.unsafe("ALTER SYSTEM SET ssl = on");
    await admin.unsafe("SELECT pg_reload_conf()");
    const served = readFileSync(join(folder, `${name}.pem`), "utf8");
    await poll("the certificate is served", 60_000, () => presented(new URL(server.url).port).includes(body(served)));
  }
  const body = (pem: string) => pem.split("-----")[2]?.replaceAll(/\s/g, "").slice(0, 200) ?? "";
  const presented = (port: string) => {
    const args = ["s_client", "-starttls", "postgres", "-connect", `127.0.0.1:${port}`];
    return Bun.spawnSync(["openssl", ...args], { stdin: null, timeout: 3_000 })
      .stdout.toString()
      .replaceAll(/\s/g, "");
  };

  async function outcome(host: string, sslmode: string, by?: string): Promise<string> {
    const url = new URL(server.url);
    url.hostname = host;
    url.search = `?sslmode=${sslmode}`;
    const db = connectPostgres({ url: url.href, ...(by === undefined ? {} : { ca: by }) });
    try {
      const [row] = await db.sql<{ ssl: boolean }>`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
      return row?.ssl === true ? "encrypted" : "plain";
    } catch (error) {
      return `refused: ${(error as Error).message}`;
    } finally {
      await db.close();
    }
  }

  test("a server that has none is refused where TLS is asked for", async () => {
    for (const sslmode of ["require", "verify-full"])
      expect(await outcome("127.0.0.1", sslmode, ca)).toBe("refused: Cannot connect: the server offers no TLS");
    expect(await outcome("127.0.0.1", "disable")).toBe("plain");
  });

  test("verify-full takes the right name by a known authority and nothing else; require takes anybody", async () => {
    await serve("here");
    for (const host of ["127.0.0.1", "localhost"]) {
      expect(await outcome(host, "verify-full", ca)).toBe("encrypted");
      expect(await outcome(host, "verify-full")).toStartWith("refused");
      expect(await outcome(host, "require")).toBe("encrypted");
    }
    await serve("elsewhere");
    for (const host of ["127.0.0.1", "localhost"]) {
      expect(await outcome(host, "verify-full", ca)).toStartWith("refused");
      expect(await outcome(host, "require")).toBe("encrypted");
    }
  });

  test("much goes through it", async () => {
    const url = `${server.url}?sslmode=require`;
    const db = connectPostgres({ url });
    const all = await Promise.all(
      Array.from({ length: 100 }, () => db.sql<{ text: string }>`SELECT repeat('é', 100000) AS text`),
    );
    for (const [row] of all) expect(row?.text.length).toBe(100_000);
    await db.close();
  });
});

describeWith("Redis over TLS", [await privateService("redis"), trust], (server, { ca }) => {
  const admin = connectRedis({ url: server.url });
  afterAll(async () => {
    admin.close();
    await server.stop();
  });
  let port = 0;

  async function serve(name: "here" | "elsewhere"): Promise<void> {
    port = await freePort();
    await poll("Redis is connected", 60_000, () => admin.redis.status === "ready");
    const files = ["tls-cert-file", join(folder, `${name}.pem`), "tls-key-file", join(folder, `${name}.key`)];
    await admin.redis.config("SET", ...files, "tls-auth-clients", "no", "tls-port", String(port));
  }

  async function isTaken(host: string, by?: string): Promise<boolean> {
    const redis = connectRedis({ url: `rediss://${host}:${port}`, ...(by === undefined ? {} : { ca: by }) });
    const taken = poll("it answers", 700, () =>
      redis.ping().then(
        () => true,
        () => false,
      ),
    );
    const outcome = await taken.then(
      () => true,
      () => false,
    );
    redis.close();
    return outcome;
  }

  test("it takes the right name by a known authority and nothing else", async () => {
    await serve("here");
    for (const host of ["127.0.0.1", "localhost"]) {
      expect(await isTaken(host, ca), host).toBe(true);
      expect(await isTaken(host), host).toBe(false);
    }
    await serve("elsewhere");
    for (const host of ["127.0.0.1", "localhost"]) expect(await isTaken(host, ca), host).toBe(false);
  });
});
