/** What DATABASE_URL says, in parts. */
import type { Server } from "../servers.ts";

export type Place = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** As libpq's `sslmode`: `require` encrypts without asking who is there, `verify-full` asks for the certificate and the name in it. */
  readonly tls: (typeof modes)[number];
  /** PEM of further certificate authorities. */
  readonly ca: string | undefined;
};

const modes = ["disable", "require", "verify-full"] as const;

/** Why the URL is none of ours, as the end of a sentence that begins with its name; undefined when it is. It shows nothing of it. */
export function postgresUrlFault(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol))
    return "must be like postgres://user@host:5432/name";
  if (parsed.username === "" || parsed.hostname === "" || !/^\/[^/]+$/.test(parsed.pathname))
    return "must name a user, one host and a database, like postgres://user@host:5432/name";
  for (const [name, value] of parsed.searchParams) {
    if (name !== "sslmode") return "must have no parameter but sslmode";
    if (!modes.some((mode) => mode === value)) return `must have one of ${modes.join(", ")} as its sslmode`;
  }
  return undefined;
}

/** Throws one clear line where `postgresUrlFault` has one. */
export function placeOf({ url, password, ca }: Server): Place {
  const fault = postgresUrlFault(url);
  if (fault !== undefined) throw new Error(`Cannot use DATABASE_URL: it ${fault}`);
  const { hostname, port, username, password: inUrl, pathname, searchParams } = new URL(url);
  return {
    host: decodeURIComponent(hostname).replace(/^\[(.*)\]$/, "$1"),
    port: Number(port || 5_432),
    user: decodeURIComponent(username),
    password: password ?? decodeURIComponent(inUrl),
    database: decodeURIComponent(pathname.slice(1)),
    tls: modes.find((mode) => mode === searchParams.get("sslmode")) ?? "disable",
    ca,
  };
}
