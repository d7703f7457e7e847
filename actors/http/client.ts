/** Who sent a request: the other end of the connection or, where that is a proxy that is trusted, whom it names. */
import { type IpAddress, type IsInNetworks, ipText, parseIp } from "./ip-address.ts";

export type Client = {
  /** Undefined where the platform does not know it. */
  readonly address: IpAddress | undefined;
  /** The request came over TLS, as a trusted proxy says. */
  readonly isSecure: boolean;
  /** What the client took for our host and port; undefined where it named none. */
  readonly host: string | undefined;
};

export type ClientOf = (headers: Headers, remoteAddress: string | undefined) => Client;

/** More proxies than this are not one behind the other. */
const hopsMax = 32;

/**
 * Each proxy adds at the right of `X-Forwarded-For` whom it has the request from, so the list is read from there, for as long as
 * the one who adds is trusted. What nobody trusted has said, or what is no address, is not believed: the one who says it counts as the client.
 */
export function clientReader(isTrusted: IsInNetworks): ClientOf {
  return (headers, remoteAddress) => {
    const nearest = remoteAddress === undefined ? undefined : parseIp(remoteAddress);
    const host = headers.get("host") ?? undefined;
    if (nearest === undefined || !isTrusted(nearest)) return { address: nearest, isSecure: false, host };
    return {
      address: farthest(nearest, headers.get("x-forwarded-for"), isTrusted),
      isSecure: last(headers.get("x-forwarded-proto"))?.toLowerCase() === "https",
      host: last(headers.get("x-forwarded-host")) ?? host,
    };
  };
}

function farthest(nearest: IpAddress, forwardedFor: string | null, isTrusted: IsInNetworks): IpAddress {
  let found = nearest;
  const hops = (forwardedFor ?? "").split(",").slice(-hopsMax);
  for (const hop of hops.reverse()) {
    const address = hopAddress(hop.trim());
    if (address === undefined) return found;
    found = address;
    if (!isTrusted(found)) return found;
  }
  return found;
}

/** Some proxies add the port: `192.0.2.1:1234`, `[2001:db8::1]:1234`. */
function hopAddress(hop: string): IpAddress | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(hop) ?? [];
  return parseIp(bracketed ?? plain ?? hop);
}

function last(list: string | null): string | undefined {
  return list?.split(",").at(-1)?.trim() || undefined;
}

/** What a request must carry on its way to the next of our processes, which trusts this one. */
export function forwardingHeaders(
  headers: Headers,
  { address, isSecure, host }: Client,
): Record<string, string | null> {
  const proto = isSecure ? "https" : "http";
  const said = headers.get("x-forwarded-proto");
  return {
    "x-forwarded-for": address === undefined ? null : ipText(address),
    // What was said stays at the left of what this process vouches for.
    "x-forwarded-proto": said === null || said === proto ? proto : `${said}, ${proto}`,
    "x-forwarded-host": host ?? null,
  };
}
