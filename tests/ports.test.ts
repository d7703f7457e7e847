/** Free ports for servers of tests and benchmarks. */
import { expect, test } from "bun:test";
import { freePorts } from "../deploy/services/ports.ts";

test("who asks for a port twice before it listens is given two different ones", async () => {
  const ports: number[] = [];
  for (let i = 0; i < 400; i++) ports.push(...(await freePorts(1)));
  expect(new Set(ports).size).toBe(ports.length);
});
