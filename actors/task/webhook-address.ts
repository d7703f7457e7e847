/** Addresses that no webhook is made for: `http` reaches only what the operator has allowed, and where it may not, each attempt would fail. */
import { networksOf, parseIp } from "../http/ip-address.ts";

/** What is wrong with the address, if anything: of a name only an attempt knows where it leads, so it is enough that something is allowed. */
export function webhookAddressFault(allowed: readonly string[]): (url: string) => string | undefined {
  const isAllowed = networksOf(allowed);
  return (text) => {
    const { protocol, hostname } = new URL(text);
    if (protocol !== "http:") return undefined;
    if (allowed.length === 0) return "must be https: this server allows no address without TLS";
    const address = parseIp(hostname.replace(/^\[|\]$/g, ""));
    return address === undefined || isAllowed(address)
      ? undefined
      : "must be https: this address is not among those that this server allows without TLS";
  };
}
