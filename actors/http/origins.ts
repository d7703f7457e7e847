/** Cross-Origin Resource Sharing (https://fetch.spec.whatwg.org/#http-cors-protocol): pages of the allowed origins may call us and read all that we answer. Without credentials: tokens travel in a header of ours. */
import { contextOf, toResponse } from "./answer.ts";
import { answerHeaders, requestHeaders } from "./header-names.ts";
import type { Peer } from "./peer.ts";
import type { Site } from "./site.ts";
import { tlsObserver } from "./tls.ts";

type Fetch = (request: Request, peer?: Peer) => Response | Promise<Response>;

/** How long a browser may remember a preflight's answer. */
const maxAgeS = 600;
const allowed = {
  "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": Object.keys(requestHeaders).join(", "),
  "access-control-max-age": String(maxAgeS),
};
const exposed = Object.keys(answerHeaders).join(", ");

/** The same server, open to pages of the site's origins: whatever it answers, failures too, they may read. */
export function openToOrigins(site: Site, fetch: Fetch): Fetch {
  if (site.allowedOrigins.length === 0) return fetch;
  const origins = new Set(site.allowedOrigins);
  const observeTls = tlsObserver(site);
  return (request, peer) => {
    const given = request.headers.get("origin");
    const origin = given !== null && origins.has(given) ? given : undefined;
    if (origin !== undefined && isPreflight(request)) {
      observeTls(request, peer);
      return shared(toResponse({ status: 204, headers: allowed }, contextOf(request, site)), origin);
    }
    const response = fetch(request, peer);
    return response instanceof Promise ? response.then((ready) => shared(ready, origin)) : shared(response, origin);
  };
}

function isPreflight({ method, headers }: Request): boolean {
  return method === "OPTIONS" && headers.has("access-control-request-method");
}

/** Every answer depends on the origin: a cache that gave one page's answer to another would lock it out. */
function shared(response: Response, origin: string | undefined): Response {
  const { headers } = response;
  if (!/(?:^|,) *origin *(?:,|$)/i.test(headers.get("vary") ?? "")) headers.append("vary", "Origin");
  if (origin === undefined) return response;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", exposed);
  return response;
}
