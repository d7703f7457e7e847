/** Which addresses a webhook may reach. */
import { expect, test } from "bun:test";
import { addressRules } from "./addresses.ts";

const rules = addressRules([]);

test.each([
  ...["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254"],
  ...["169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1"],
  ...["192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.1.1.1"],
  ...["240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"],
  ...["::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1"],
  ...["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1"],
  ...["2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0"],
  ...["fec0::1", "ff02::1", "ff0e::1", "localhost", "2130706433", "0x7f.1", ""],
])("%s is not reached", (address) => {
  expect(rules.mayReach(address)).toBe(false);
});

test.each([
  "1.1.1.1",
  "8.8.8.8",
  "100.63.255.255",
  "172.32.0.1",
  "192.0.1.1",
  "::ffff:8.8.8.8",
  "2606:4700::1111",
  "2a00::1",
])("%s is reached, by https alone", (address) => {
  expect(rules.mayReach(address)).toBe(true);
  expect(rules.isAllowed(address)).toBe(false);
});

test("networks that the operator names are reached, and their neighbours are not", () => {
  const { mayReach, isAllowed } = addressRules(["10.1.0.0/16", "fd00::/8", "127.0.0.1"]);
  for (const address of ["10.1.2.3", "fd00::1", "127.0.0.1", "::ffff:10.1.2.3"]) {
    expect(mayReach(address)).toBe(true);
    expect(isAllowed(address)).toBe(true);
  }
  for (const address of ["10.2.0.1", "127.0.0.2", "::1"]) expect(mayReach(address)).toBe(false);
});
