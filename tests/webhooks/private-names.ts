/** Ways to name a private address. Those of the first list are addresses to a parser of URLs, those of the second need a look-up. */

const literals = [
  ...["127.0.0.1", "127.1", "127.0.1", "127.0.0.2", "127.255.255.254", "2130706433", "017700000001", "0x7f000001"],
  ...[
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.1",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "127。0。0。1",
  ],
  ...["0", "0.0.0.0", "0x0", "00.00.00.00", "10.0.0.1", "0xa000001", "012.0.0.1", "167772161"],
  ...[
    "172.16.0.1",
    "192.168.0.1",
    "0xc0a80001",
    "3232235521",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
  ],
  ...["100.64.0.1", "198.18.0.1", "192.0.0.192", "224.0.0.1", "255.255.255.255", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]"],
  ...["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:10.0.0.1]"],
  ...[
    "[::ffff:169.254.169.254]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
  ],
  ...[
    "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::1]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[fec0::1]",
  ],
];

/** What names of ours resolve to: one address, or a public one beside a private one. */
const resolved: Readonly<Record<string, readonly string[]>> = {
  "loopback.example": ["127.0.0.1"],
  "loopback6.example": ["::1"],
  "mapped.example": ["::ffff:127.0.0.1"],
  "metadata.example": ["169.254.169.254"],
  "private.example": ["10.0.0.1"],
  "both.example": ["93.184.215.14", "127.0.0.1"],
  "both-turned.example": ["127.0.0.1", "93.184.215.14"],
  "nat64.example": ["64:ff9b::7f00:1"],
  "none.example": [],
  localhost: ["127.0.0.1", "::1"],
  "LOCALHOST.": ["127.0.0.1", "::1"],
};

export function namesOf(): string[] {
  return [...literals, ...Object.keys(resolved)];
}

export function resolving(): (name: string) => Promise<readonly string[]> {
  const known = new Map(Object.entries(resolved).map(([name, addresses]) => [name.toLowerCase(), addresses]));
  return async (name) => {
    const addresses = known.get(name);
    if (addresses === undefined) throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: "ENOTFOUND" });
    return addresses;
  };
}
