/** The refresh token as a cookie, for pages: their scripts never see it, and no other site's page can have it sent. */
import { createHash } from "node:crypto";
import type { Client } from "../http/client.ts";
import { pathPrefix, type Site } from "../http/site.ts";
import { Problem } from "../model/problem.ts";
import { sessionIdleMs } from "./lifetimes.ts";

export type RefreshCookie = {
  /** Whether the caller wants the token so. */
  isWanted(headers: Headers): boolean;
  /** Throws `malformed-header` for another way of delivery than there is. */
  checkHeaders(headers: Headers): void;
  /** The token that came as a cookie; undefined where none came, or several did. Throws `forbidden` when a page of somebody else sent it. */
  tokenIn(headers: Headers, client: Client): string | undefined;
  /** Headers that set it. */
  setting(refreshToken: string, client: Client): Record<string, string>;
  /** Headers that remove it, where the caller has it or may have it. */
  clearing(headers: Headers, client: Client): Record<string, string>;
};

const delivery = "x-token-delivery";

/** Several servers may share a host, by port or by path, and cookies know no ports: each has a name of its own. */
export function refreshCookie(site: Site): RefreshCookie {
  const name = `tt_refresh_${createHash("sha256").update(site.url).digest("hex").slice(0, 12)}`;
  const path = `${pathPrefix(site)}/v1/auth`;

  const isPublicByTls = site.url.startsWith("https:");
  const isWanted = (headers: Headers) => headers.get(delivery) === "cookie";

  function cookie(value: string, maxAgeS: number, { isSecure }: Client): Record<string, string> {
    const attributes = [`Path=${path}`, `Max-Age=${maxAgeS}`, "HttpOnly", "SameSite=Strict"];
    return {
      "set-cookie": [`${name}=${value}`, ...attributes, ...(isSecure || isPublicByTls ? ["Secure"] : [])].join("; "),
    };
  }

  function valuesIn(headers: Headers): string[] {
    return (headers.get("cookie") ?? "")
      .split(";")
      .map((pair) => pair.trim())
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1));
  }

  /** A browser names the page's origin with every POST; whoever names none is no page. */
  function isOwnOrigin(origin: string, { host }: Client): boolean {
    if (site.url !== "") return origin === new URL(site.url).origin;
    return (
      host !== undefined && /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, "") === host.toLowerCase()
    );
  }

  return {
    isWanted,
    checkHeaders(headers) {
      if (headers.has(delivery) && !isWanted(headers))
        throw new Problem("malformed-header", "X-Token-Delivery must be `cookie` or left out.");
    },
    tokenIn(headers, client) {
      const origin = headers.get("origin");
      if (origin !== null && !isOwnOrigin(origin, client))
        throw new Problem("forbidden", "A page of another origin cannot refresh by cookie.");
      const values = valuesIn(headers);
      // Another server of the same domain may have planted a second one: which of them is ours cannot be told.
      return values.length === 1 ? values[0] : undefined;
    },
    setting: (refreshToken, client) => cookie(refreshToken, sessionIdleMs / 1_000, client),
    clearing: (headers, client) => (isWanted(headers) || valuesIn(headers).length > 0 ? cookie("", 0, client) : {}),
  };
}
