import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseUrlencoded, pointer } from "./urlencoded.ts";

test("whatever the platform writes is read back", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })), { maxLength: 5 }),
      (pairs) => {
        if (pairs.flat().some((text) => text.includes("\0"))) return;
        const { fields, faults } = parseUrlencoded(new URLSearchParams(pairs).toString());
        expect(faults).toEqual([]);
        expect([...fields]).toEqual(pairs);
      },
    ),
  );
});

test.each(["q=%zz", "q=%", "q=%4", "q=%ff", "q=%ed%a0%80", "q=%c0%80", "q=%00", "q=a%00b", "q=\0"])(
  "%s has a fault at /q",
  (text) => {
    expect(parseUrlencoded(`${text}&r=1`).faults).toEqual([
      { path: "/q", message: "must be well-formed percent-encoded UTF-8 without NUL" },
    ]);
    expect([...parseUrlencoded(`${text}&r=1`).fields]).toEqual([["r", "1"]]);
  },
);

test("an ill-formed name is told as it came", () => {
  expect(parseUrlencoded("%zz/=1").faults[0]?.path).toBe("/%zz~1");
});

test("plus is a space, and empty parts are nothing", () => {
  expect([...parseUrlencoded("&a=b+c&&%41=%2B&d&e=f=g&").fields]).toEqual([
    ["a", "b c"],
    ["A", "+"],
    ["d", ""],
    ["e", "f=g"],
  ]);
});

test("a pointer escapes ~ and /", () => {
  expect(pointer("a~/b")).toBe("/a~0~1b");
});

test("a question mark is a character like any other", () => {
  for (const more of ["", "&b=%41"]) expect([...parseUrlencoded(`?a=1${more}`).fields][0]).toEqual(["?a", "1"]);
});
