/** How one attempt connects, on both runtimes: counted at the socket. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sent } from "../../actors/courier/send.ts";
import { binaryOf, type Runtime } from "../system/runtimes.ts";
import { namesOf } from "./private-names.ts";

const folder = mkdtempSync(join(tmpdir(), "webhook-attempts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Report = {
  outcomes: [string, Sent][];
  connections: number;
  seen: number;
  named: Sent;
  askedOnce: number;
  wrong: Sent;
  redirected: Sent;
  paths: string[];
  strange: Record<string, Sent>;
};

function certificate(): void {
  const { exitCode, stderr } = Bun.spawnSync([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...[
      "-keyout",
      join(folder, "key.pem"),
      "-out",
      join(folder, "cert.pem"),
      "-days",
      "2",
      "-subj",
      "/CN=hook.example",
    ],
    ...["-addext", "subjectAltName=DNS:hook.example"],
  ]);
  if (exitCode !== 0) throw new Error(`openssl: ${stderr}`);
}

function report(runtime: Runtime): Report {
  const program = join(import.meta.dir, "attempts-program.ts");
  const command = [binaryOf(runtime), ...(runtime === "bun" ? [] : ["run", "-A"]), program, folder];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: join(import.meta.dir, "..", "..") });
  expect(exitCode, stderr.toString()).toBe(0);
  return JSON.parse(stdout.toString()) as Report;
}

describe.skipIf(Bun.which("openssl") === null && process.env.CI !== "true").each(["bun", "deno"] as const)(
  "an attempt on %s",
  (runtime) => {
    let known: Report | undefined;
    const its = () => {
      if (known === undefined) certificate();
      known ??= report(runtime);
      return known;
    };

    test("sixty names of private addresses get no connection", () => {
      expect(new Set(namesOf()).size).toBeGreaterThanOrEqual(60);
      const { outcomes, connections, seen } = its();
      expect(outcomes).toHaveLength(2 * namesOf().length);
      for (const [url, sent] of outcomes) {
        expect(sent, url).toEqual({ error: expect.any(String) as unknown as string });
        expect(
          [
            "the address is not public",
            "the name has no address",
            "the name cannot be resolved",
            "the connection failed",
          ],
          url,
        ).toContain(sent.error as string);
      }
      expect(connections).toBe(0);
      expect(seen).toBe(1);
    }, 60_000);

    test("goes to the address that was checked, whatever the name leads to a moment later", () => {
      const { named, askedOnce, paths } = its();
      expect(named).toEqual({ status: 200 });
      expect(askedOnce).toBe(1);
      expect(paths[0]).toBe("/");
    }, 60_000);

    test("ends in its time whatever comes, and counts as answered once the status has come", () => {
      const failed = { error: "the connection failed" };
      const late = { error: "no answer in time" };
      expect(its().strange).toEqual({
        "endless header": failed,
        "endless headers": failed,
        "endless body": { status: 200 },
        "compressed zeros": { status: 200 },
        "trickled header": late,
        "trickled body": { status: 200 },
        silence: late,
        reset: failed,
        "not HTTP": failed,
      });
    }, 60_000);

    test("checks the certificate against the name, and follows no redirect", () => {
      const { wrong, redirected, paths } = its();
      expect(wrong).toEqual({ error: "no trusted TLS connection" });
      expect(redirected).toEqual({ status: 302 });
      expect(paths).toEqual(["/", "/redirect"]);
    }, 60_000);
  },
);
