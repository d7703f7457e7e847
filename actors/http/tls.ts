/** Which requests came by TLS, as a trusted proxy says, or any where none is named: it is seen while the other end of the connection is known, and asked for later. */
import { clientReader } from "./client.ts";
import { networksOf } from "./ip-address.ts";
import type { Peer } from "./peer.ts";
import type { Site } from "./site.ts";

const secured = new WeakSet<Request>();

/** Sees to it that `cameByTls` knows; to be called as soon as a request is there. */
export function tlsObserver({ trustedProxies = [] }: Site): (request: Request, peer: Peer | undefined) => void {
  const clientOf = clientReader(networksOf(trustedProxies));
  return (request, peer) => {
    const proto = request.headers.get("x-forwarded-proto");
    // Most requests of a server without a proxy end here.
    if (proto === null) return;
    // Where nobody was told whom to trust, any proxy counts: browsers ignore what HSTS says on a connection without TLS (RFC 6797 §8.1).
    if (trustedProxies.length === 0) {
      if (proto.split(",")[0]?.trim() === "https") secured.add(request);
    } else if (clientOf(request.headers, peer?.remoteAddress).isSecure) secured.add(request);
  };
}

export function cameByTls(request: Request): boolean {
  return secured.has(request);
}
