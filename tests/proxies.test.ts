/** The snippets for reverse proxies in docs/operations.md, with the real programs: TLS, the path prefix, and what the server makes of them. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { poll } from "./system/poll.ts";
import { cleanUp, freePort, type System, start, temporaryFolder } from "./system/server.ts";

const deadlineMs = 120_000;
const page = readFileSync(join(import.meta.dir, "..", "docs", "operations.md"), "utf8");
const snippet = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] ?? "";

type Files = { folder: string; certificate: string; key: string };
/** By program: its configuration around the snippet, and how it is started. */
const proxies: Record<string, (files: Files, port: number, toPort: number) => { config: string; args: string[] }> = {
  nginx: ({ folder, certificate, key }, port, toPort) => ({
    config: `user root;\nevents {}\npid ${folder}/pid;\nerror_log stderr;\nhttp {\naccess_log off;\n${[
      "client_body",
      "proxy",
      "fastcgi",
      "uwsgi",
      "scgi",
    ]
      .map((each) => `${each}_temp_path ${folder}/${each};`)
      .join("\n")}\n${snippet("nginx")
      .replace("listen 443", `listen 127.0.0.1:${port}`)
      .replace("127.0.0.1:3000", `127.0.0.1:${toPort}`)
      .replace("/etc/ssl/example.org.pem", certificate)
      .replace("/etc/ssl/example.org.key", key)}}\n`,
    args: ["-p", folder, "-c", join(folder, "config.yml"), "-e", "stderr", "-g", "daemon off;"],
  }),
  caddy: ({ folder, certificate, key }, port, toPort) => ({
    config: `{\nadmin off\nauto_https disable_redirects\n}\n${snippet("caddy")
      .replace("example.org {", `example.org:${port} {\nbind 127.0.0.1\ntls ${certificate} ${key}`)
      .replace("127.0.0.1:3000", `127.0.0.1:${toPort}`)}`,
    args: ["run", "--adapter", "caddyfile", "--config", join(folder, "config.yml")],
  }),
  traefik: ({ folder, certificate, key }, port, toPort) => ({
    config: snippet("yaml traefik")
      .replace("127.0.0.1:3000", `127.0.0.1:${toPort}`)
      .replace("/etc/ssl/example.org.pem", certificate)
      .replace("/etc/ssl/example.org.key", key),
    args: [
      ...["--global.checknewversion=false", "--global.sendanonymoususage=false", "--log.level=ERROR"],
      ...[
        `--entrypoints.websecure.address=127.0.0.1:${port}`,
        `--providers.file.filename=${join(folder, "config.yml")}`,
      ],
    ],
  }),
};

function certificate(folder: string): Files {
  const files = { folder, certificate: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  const subject = ["-subj", "/CN=example.org", "-addext", "subjectAltName=DNS:example.org", "-days", "2"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", files.key];
  const made = Bun.spawnSync(["openssl", "req", "-x509", ...key, "-out", files.certificate, ...subject]);
  expect(made.exitCode, made.stderr.toString()).toBe(0);
  return files;
}

const needed = (program: string) => [program, "openssl", "curl"].filter((each) => Bun.which(each) === null);

describe.each(Object.keys(proxies))("behind %s", (program) => {
  const missing = needed(program);
  const title = missing.length === 0 ? "" : ` (skipped: not installed: ${missing.join(", ")})`;
  describe.skipIf(missing.length > 0)(`by TLS and below a path${title}`, () => {
    let system: System;
    let proxy: ChildProcess;
    let files: Files;
    let port: number;

    beforeAll(async () => {
      port = await freePort();
      const env = { TT_PUBLIC_URL: `https://example.org:${port}/todo`, TT_TRUSTED_PROXIES: "127.0.0.1/32" };
      system = await start({ env });
      const folder = join(temporaryFolder(), program);
      mkdirSync(folder);
      files = certificate(folder);
      const { config, args } = (proxies[program] as (typeof proxies)[string])(
        files,
        port,
        Number(new URL(system.url).port),
      );
      writeFileSync(join(folder, "config.yml"), config);
      let said = "";
      proxy = spawn(program, args, {
        env: { PATH: process.env.PATH, HOME: folder },
        stdio: ["ignore", "pipe", "pipe"],
      });
      for (const stream of [proxy.stdout, proxy.stderr])
        stream?.on("data", (part) => {
          said += part;
        });
      await poll(`${program} serves`, deadlineMs, async () => {
        if (proxy.exitCode !== null) throw new Error(`${program} ended: ${said}`);
        return (await curl("/v1/openapi.json")).status === 200;
      });
    }, deadlineMs);
    afterAll(async () => {
      if (proxy !== undefined && proxy.exitCode === null) {
        const ended = new Promise((resolve) => proxy.once("close", resolve));
        proxy.kill("SIGTERM");
        await ended;
      }
      await cleanUp();
    }, deadlineMs);

    async function curl(path: string, ...args: string[]): Promise<{ status: number; headers: string; body: string }> {
      const trust = ["--cacert", files.certificate, "--resolve", `example.org:${port}:127.0.0.1`, "--noproxy", "*"];
      const child = Bun.spawn(["curl", "-sSi", ...trust, ...args, `https://example.org:${port}/todo${path}`]);
      const [headers = "", ...rest] = (await new Response(child.stdout).text()).split("\r\n\r\n");
      return { status: Number(/^HTTP\/[\d.]+ (\d+)/.exec(headers)?.[1]), headers, body: rest.join("\r\n\r\n") };
    }
    const json = ["-H", "content-type: application/json", "-H", "expect:"];

    test(
      "links begin with the public URL, and TLS is told of",
      async () => {
        const account = JSON.stringify({ email: "ada@example.com", password: "correct horse battery" });
        const registered = await curl("/v1/auth/register", ...json, "-d", account);
        expect(registered.status, registered.body).toBe(201);
        const { accessToken } = JSON.parse(registered.body) as { accessToken: string };
        const made = await curl(
          "/v1/tasks",
          ...json,
          "-H",
          `authorization: Bearer ${accessToken}`,
          "-d",
          '{"title":"x"}',
        );
        expect(made.status, made.body).toBe(201);
        const { id } = JSON.parse(made.body) as { id: string };
        expect(made.headers).toMatch(
          new RegExp(`^location: https://example\\.org:${port}/todo/v1/tasks/${id}\\r?$`, "im"),
        );
        expect(made.headers).toMatch(/^strict-transport-security: /im);
        expect((await curl(`/v1/tasks/${id}`, "-H", `authorization: Bearer ${accessToken}`)).status).toBe(200);
      },
      deadlineMs,
    );

    test(
      "the largest body that the server takes reaches it, and what is too large is the server's own answer",
      async () => {
        const account = JSON.stringify({ email: "eve@example.com", password: "correct horse battery" });
        const registered = await curl("/v1/auth/register", ...json, "-d", account);
        const { accessToken } = JSON.parse(registered.body) as { accessToken: string };
        const auth = ["-H", `authorization: Bearer ${accessToken}`];
        const file = join(files.folder, "body");
        for (const bytes of [2 * 2 ** 20, 2.5 * 2 ** 20]) {
          writeFileSync(file, `{"title":"${"x".repeat(bytes - 12)}"}`);
          const reply = await curl("/v1/tasks", ...json, ...auth, "--data-binary", `@${file}`);
          expect([reply.status, reply.body]).toEqual([413, expect.stringContaining('"code":"body-too-large"')]);
        }
      },
      deadlineMs,
    );
  });
});
