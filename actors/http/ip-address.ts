/** IP addresses: one spelling for each, the network that one belongs to, and lists of networks. */
import { isIP } from "node:net";

/** 4 bytes of IPv4 or 16 of IPv6; an IPv4 address mapped into IPv6 is one of IPv4. */
export type IpAddress = { readonly bytes: readonly number[] };

/** Undefined for what is no address; a zone (`%eth0`) belongs to none that others can reach, and is refused. */
export function parseIp(text: string): IpAddress | undefined {
  const kind = isIP(text);
  if (kind === 4) return { bytes: text.split(".").map(Number) };
  if (kind !== 6 || text.includes("%")) return undefined;
  const bytes = ipv6Bytes(text);
  const isMapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return { bytes: isMapped ? bytes.slice(12) : bytes };
}

/** The text is known to be of a good form. */
function ipv6Bytes(text: string): number[] {
  const [head = "", tail] = text.split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  return [...before, ...Array<number>(16 - before.length - after.length).fill(0), ...after];
}

function groups(text: string): number[] {
  return text.split(":").flatMap((group) => {
    if (group === "") return [];
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

/** The one spelling of an address: equal addresses have equal texts. */
export function ipText({ bytes }: IpAddress): string {
  if (bytes.length === 4) return bytes.join(".");
  const parts = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(":")}]`).hostname.slice(1, -1);
}

/** The network of which all addresses are likely one customer's: /24 of IPv4, /64 of IPv6. */
export function networkOf({ bytes }: IpAddress): string {
  const isV4 = bytes.length === 4;
  const kept = isV4 ? 3 : 8;
  const network = bytes.map((byte, at) => (at < kept ? byte : 0));
  return `${ipText({ bytes: network })}/${isV4 ? 24 : 64}`;
}

type Network = { readonly bytes: readonly number[]; readonly bits: number };

/** Undefined for what is neither an address nor like `10.0.0.0/8`; bits of a host mean nothing. */
function parseNetwork(text: string): Network | undefined {
  const [, address = "", given] = /^([^/]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text) ?? [];
  const bytes = parseIp(address)?.bytes;
  if (bytes === undefined) return undefined;
  const most = 8 * bytes.length;
  const isMapped = bytes.length === 4 && address.includes(":");
  const bits = given === undefined ? most : Number(given) - (isMapped ? 96 : 0);
  if (bits < 0 || bits > most) return undefined;
  return { bytes: bytes.map((byte, at) => byte & maskOf(bits, at)), bits };
}

function maskOf(bits: number, at: number): number {
  const ours = Math.min(8, Math.max(0, bits - 8 * at));
  return (0xff << (8 - ours)) & 0xff;
}

/** The entries of a comma-separated list that are no addresses or networks. */
export function networkFaults(list: string): string[] {
  return networkEntries(list).filter((entry) => parseNetwork(entry) === undefined);
}

/** The entries of a comma-separated list; none of an empty one. */
export function networkEntries(list: string): string[] {
  return list === "" ? [] : list.split(",").map((entry) => entry.trim());
}

export type IsInNetworks = (address: IpAddress) => boolean;

/** Whether an address is in one of the networks of a list without faults. */
export function networksOf(list: readonly string[]): IsInNetworks {
  const networks = list.flatMap((entry) => parseNetwork(entry) ?? []);
  return ({ bytes }) =>
    networks.some(
      (network) =>
        network.bytes.length === bytes.length &&
        network.bytes.every((byte, at) => byte === ((bytes[at] ?? 0) & maskOf(network.bits, at))),
    );
}
