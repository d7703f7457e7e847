/** To which addresses webhooks may connect: those of the public Internet, and those that the operator allows. */
import { type IpAddress, networksOf, parseIp } from "../http/ip-address.ts";

/** IANA's special-purpose registries (RFC 6890 and its updates), and what is no unicast. */
const notPublicV4 = networksOf([
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
]);
/** Of IPv6 only what is handed out as global unicast; outside it are loopback, unique local, link-local, multicast, NAT64 and IPv4-compatible addresses. */
const globalUnicast = networksOf(["2000::/3"]);
/** In it: protocol assignments with Teredo and ORCHID, documentation, 6to4. */
const notPublicV6 = networksOf(["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);

export type AddressRules = {
  /** Whether to connect to it; false for what is no address. */
  mayReach(address: string): boolean;
  /** Whether the operator has named it: then without TLS too. */
  isAllowed(address: string): boolean;
};

export function addressRules(allowed: readonly string[]): AddressRules {
  const inAllowed = networksOf(allowed);
  const of = (text: string, holds: (address: IpAddress) => boolean) => {
    const address = parseIp(text);
    return address !== undefined && holds(address);
  };
  return {
    mayReach: (text) => of(text, (address) => inAllowed(address) || isPublic(address)),
    isAllowed: (text) => of(text, inAllowed),
  };
}

function isPublic(address: IpAddress): boolean {
  if (address.bytes.length === 4) return !notPublicV4(address);
  return globalUnicast(address) && !notPublicV6(address);
}
