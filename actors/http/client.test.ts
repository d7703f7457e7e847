import { expect, test } from "bun:test";
import { clientReader, forwardingHeaders } from "./client.ts";
import { ipText, networkFaults, networkOf, networksOf, parseIp } from "./ip-address.ts";

const address = (text: string) => {
  const parsed = parseIp(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
};

test.each([
  ["192.0.2.7", "192.0.2.7", "192.0.2.0/24"],
  ["::ffff:192.0.2.7", "192.0.2.7", "192.0.2.0/24"],
  ["::ffff:c000:207", "192.0.2.7", "192.0.2.0/24"],
  ["::1", "::1", "::/64"],
  ["::", "::", "::/64"],
  ["2001:DB8:0:1:2:3:4:5", "2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"],
  ["2001:db8::1:0:0:1", "2001:db8::1:0:0:1", "2001:db8::/64"],
  ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", "2001:db8::/64"],
  ["64:ff9b::192.0.2.33", "64:ff9b::c000:221", "64:ff9b::/64"],
])("%s is %s in %s", (text, one, network) => {
  expect([ipText(address(text)), networkOf(address(text))]).toEqual([one, network]);
});

test.each([
  "",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "01.2.3.4",
  "1.2.3.4 ",
  ":::1",
  "fe80::1%eth0",
  "localhost",
  "0x7f.1",
])("%p is no address", (text) => {
  expect(parseIp(text)).toBeUndefined();
});

test("a list of networks tells its faults, and takes what is in them", () => {
  expect(networkFaults("10.0.0.0/8, ::1,fd00::/8,192.0.2.1,127.0.0.1/8")).toEqual([]);
  expect(networkFaults("10.0.0.0/33,::/129,x,,10.0.0.0/08,1.2.3.4/")).toEqual([
    ...["10.0.0.0/33", "::/129", "x", "", "10.0.0.0/08", "1.2.3.4/"],
  ]);
  const isIn = networksOf(["10.1.2.3/8", "172.16.0.0/12", "::1", "fd00::/8", "192.0.2.1", "::ffff:198.51.100.0/120"]);
  const inside = ["10.255.1.2", "::ffff:10.0.0.1", "172.31.0.1", "::1", "fdff::1", "192.0.2.1", "198.51.100.9"];
  const outside = [
    "11.0.0.1",
    "172.32.0.1",
    "172.15.255.255",
    "::2",
    "fe00::1",
    "192.0.2.2",
    "0.0.0.1",
    "198.51.101.1",
  ];
  expect([...inside, ...outside].filter((each) => isIn(address(each)))).toEqual(inside);
  expect(networksOf(["0.0.0.0/0"])(address("8.8.8.8"))).toBe(true);
  expect(networksOf(["0.0.0.0/0"])(address("::1"))).toBe(false);
  expect(networksOf([])(address("127.0.0.1"))).toBe(false);
});

const clientOf = clientReader(networksOf(["127.0.0.1", "10.0.0.0/8"]));
const addressOf = (remote: string | undefined, forwardedFor?: string) => {
  const headers = new Headers(forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor });
  const found = clientOf(headers, remote).address;
  return found && ipText(found);
};

test.each([
  ["whoever is not trusted is the client, whatever it says", "192.0.2.9", "198.51.100.1", "192.0.2.9"],
  ["a trusted proxy names the client", "127.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["the right-most one that is not trusted counts", "10.0.0.1", "203.0.113.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"],
  ["where all are trusted it is the first", "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"],
  ["a proxy that names nobody is the client", "10.0.0.1", undefined, "10.0.0.1"],
  ["an empty list names nobody", "10.0.0.1", "", "10.0.0.1"],
  ["what is no address ends the way", "10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"],
  ["and so does a gap", "10.0.0.1", "198.51.100.1,,10.0.0.2", "10.0.0.2"],
  ["and a quoted one", "10.0.0.1", '"198.51.100.1"', "10.0.0.1"],
  ["ports are left out", "10.0.0.1", "198.51.100.1:4711", "198.51.100.1"],
  ["of both kinds", "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"],
  ["nobody is known where the platform knows nobody", undefined, "198.51.100.1", undefined],
  ["more hops than there can be are not followed", "10.0.0.1", `198.51.100.1${", 10.0.0.2".repeat(40)}`, "10.0.0.2"],
])("%s", (_name, remote, forwardedFor, found) => {
  expect(addressOf(remote, forwardedFor)).toBe(found);
});

test("TLS and the host are what a trusted proxy says, the last one where several did", () => {
  const read = (remote: string, headers: Record<string, string>) => {
    const { isSecure, host } = clientOf(new Headers(headers), remote);
    return [isSecure, host];
  };
  const said = { host: "inner:3000", "x-forwarded-proto": "https", "x-forwarded-host": "example.org" };
  expect(read("192.0.2.9", said)).toEqual([false, "inner:3000"]);
  expect(read("10.0.0.1", said)).toEqual([true, "example.org"]);
  expect(read("10.0.0.1", { host: "inner:3000" })).toEqual([false, "inner:3000"]);
  expect(read("10.0.0.1", { ...said, "x-forwarded-proto": "https, http" })).toEqual([false, "example.org"]);
});

test("the next of our processes finds the same client, and believes nothing else", () => {
  const next = clientReader(networksOf(["10.0.0.2"]));
  const lies = { "x-forwarded-for": "198.51.100.1", "x-forwarded-proto": "https", "x-forwarded-host": "evil.example" };
  for (const [remote, headers] of [
    ["192.0.2.9", { ...lies, host: "inner:3000" }],
    ["10.0.0.1", { ...lies, host: "inner:3000" }],
    ["192.0.2.9", { host: "inner:3000" }],
  ] as const) {
    const client = clientOf(new Headers(headers), remote);
    const sent = new Headers({ ...headers, host: "auth:3000" });
    for (const [name, value] of Object.entries(forwardingHeaders(new Headers(headers), client)))
      value === null ? sent.delete(name) : sent.set(name, value);
    expect(next(sent, "10.0.0.2")).toEqual(client);
  }
});
