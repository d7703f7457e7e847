/** What the world sees this server as: the URL it is reached by, the pages that may call it, and whether only TLS is to be used. */

import { networkEntries } from "./ip-address.ts";
import { methodOf } from "./target.ts";

export type Site = {
  /** What links begin with: no slash at its end; empty where they are relative to the root. */
  readonly url: string;
  /** Origins of pages that a browser may let call us; they are compared exactly. */
  readonly allowedOrigins: readonly string[];
  /** For whom `Strict-Transport-Security` speaks, where a request came by TLS. */
  readonly hsts: "host" | "subdomains" | "off";
  /** Addresses and networks of those who are believed that a request came by TLS; nobody unless given. */
  readonly trustedProxies?: readonly string[];
};

export const rootSite: Site = { url: "", allowedOrigins: [], hsts: "host" };

/** First segments of paths that the server has itself: a public path that began with one of them could not be told from it. */
export const ownSegments = [
  ...["v1", "auth", "users", "register", "login", "refresh", "logout", "logout-all", "verify", "token"],
  ...["tasks", "operations", "health", "docs", "problems", ".well-known"],
  ...["assets", "manifest.webmanifest", "service-worker.js"],
] as const;

const plainSegment = /^(?!\.{1,2}$)[A-Za-z0-9._~-]+$/;

/** The settings that make a site. */
export type SiteSettings = {
  readonly TT_PUBLIC_URL: string;
  readonly TT_ALLOWED_ORIGINS: string;
  readonly TT_HSTS: Site["hsts"];
  readonly TT_TRUSTED_PROXIES: string;
};

export function siteOf({ TT_PUBLIC_URL, TT_ALLOWED_ORIGINS, TT_HSTS, TT_TRUSTED_PROXIES }: SiteSettings): Site {
  const allowedOrigins = Object.freeze(originEntries(TT_ALLOWED_ORIGINS));
  const trustedProxies = Object.freeze(networkEntries(TT_TRUSTED_PROXIES));
  return Object.freeze({ url: TT_PUBLIC_URL.replace(/\/$/, ""), allowedOrigins, hsts: TT_HSTS, trustedProxies });
}

/** What is wrong with them, a line each. */
export function siteFaults({ TT_PUBLIC_URL, TT_ALLOWED_ORIGINS }: Omit<SiteSettings, "TT_TRUSTED_PROXIES">): string[] {
  const ofUrl = TT_PUBLIC_URL === "" ? undefined : publicUrlFault(TT_PUBLIC_URL);
  const wanted = "must be origins like https://app.example.org";
  return [
    ...(ofUrl === undefined ? [] : [`TT_PUBLIC_URL ${ofUrl}`]),
    ...originFaults(TT_ALLOWED_ORIGINS).map(
      (entry) =>
        `TT_ALLOWED_ORIGINS ${wanted}: ${entry.includes("@") ? "one with a user" : JSON.stringify(entry.slice(0, 60))} is none`,
    ),
  ];
}

/** The fault of a public URL, or undefined. */
function publicUrlFault(value: string): string | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const segments = url?.pathname.replace(/\/$/, "").split("/").slice(1) ?? [];
  const sound =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    value.replace(/\/$/, "") === url.origin + url.pathname.replace(/\/$/, "") &&
    segments.every((segment) => plainSegment.test(segment));
  if (!sound) return "must be like https://example.org/todo, without user, query and fragment";
  const own = ownSegments.find((segment) => segment === segments[0]);
  return own === undefined
    ? undefined
    : `must not have a path that begins with /${own}: the server has paths of that name`;
}

/** Those of a list, parted by commas, that are no origins as browsers write them. */
function originFaults(list: string): string[] {
  return originEntries(list).filter(
    (entry) => !/^https?:\/\/[a-z0-9.:[\]-]+$/.test(entry) || !URL.canParse(entry) || new URL(entry).origin !== entry,
  );
}

function originEntries(list: string): string[] {
  return list === "" ? [] : list.split(",").map((entry) => entry.trim());
}

/** The path of the public URL: empty, or a slash and more. */
export function pathPrefix({ url }: Site): string {
  return url === "" ? "" : new URL(url).pathname.replace(/\/$/, "");
}

/**
 * The request as it is below the root. A proxy in front may take the path of the public URL away or leave it: both are served. The path
 * cannot be one of ours, so what begins with it has not lost it yet.
 */
export function belowPrefix(prefix: string, request: Request): Request {
  if (prefix === "") return request;
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = start + prefix.length;
  if (start < 0 || !url.startsWith(prefix, start) || !/^(?:[/?#]|$)/.test(url.slice(end, end + 1))) return request;
  const rest = url.slice(end);
  const { method, headers, body } = request;
  return new Request(url.slice(0, start) + (rest.startsWith("/") ? rest : `/${rest}`), {
    method: methodOf(request),
    headers,
    ...(body === null || method === "GET" || method === "HEAD" ? {} : { body, duplex: "half" }),
  } as RequestInit);
}

/** The value of `Strict-Transport-Security`, undefined where none is to be told. `isTls`: of the request. */
export function hstsOf({ hsts, url }: Site, isTls: boolean): string | undefined {
  if (!(isTls || url.startsWith("https:")) || hsts === "off") return undefined;
  return hsts === "subdomains" ? "max-age=31536000; includeSubDomains" : "max-age=31536000";
}
