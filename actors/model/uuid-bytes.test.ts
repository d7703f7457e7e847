import { expect, test } from "bun:test";
import fc from "fast-check";
import { uuidBytes, uuidText } from "./uuid-bytes.ts";

test("an id is its 16 bytes and back, in the same order", () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), (one, other) => {
      expect(Buffer.from(uuidBytes(one)).toString("hex")).toBe(one.replaceAll("-", ""));
      expect(uuidText(uuidBytes(one))).toBe(one);
      expect(Math.sign(Buffer.compare(uuidBytes(one), uuidBytes(other)))).toBe(one < other ? -1 : one > other ? 1 : 0);
    }),
  );
});
