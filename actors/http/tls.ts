/** Which requests came by TLS, as a proxy says that is trusted: it is seen while the other end of the connection is known, and asked for later. */
import { clientReader } from "./client.ts";
import { networksOf } from "./ip-address.ts";
import type { Peer } from "./peer.ts";
import type { Site } from "./site.ts";

const secured = new WeakSet<Request>();

/** Sees to it that `cameByTls` knows; to be called as soon as a request is there. */
export function tlsObserver({ trustedProxies = [] }: Site): (request: Request, peer: Peer | undefined) => void {
  const clientOf = clientReader(networksOf(trustedProxies));
  return (request, peer) => {
    // Most requests of a server without a proxy end here.
    if (trustedProxies.length === 0 || !request.headers.has("x-forwarded-proto")) return;
    if (clientOf(request.headers, peer?.remoteAddress).isSecure) secured.add(request);
  };
}

export function cameByTls(request: Request): boolean {
  return secured.has(request);
}
