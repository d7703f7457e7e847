import { expect, test } from "bun:test";
import { methodOf, pathOf, targetOf } from "./target.ts";

test("a request is handed on under its own method, but for those that the platform forbids or would take for another", () => {
  for (const method of ["GET", "HEAD", "POST", "PATCH", "PROPFIND", "X-1"]) expect(methodOf({ method })).toBe(method);
  for (const method of ["TRACE", "CONNECT", "TRACK", "get", "Head", "patch"])
    expect(methodOf({ method })).toBe("OPTIONS");
});

test.each([
  ["http://localhost/v1/tasks?a=/b?c", "/v1/tasks?a=/b?c", "/v1/tasks"],
  ["http://a b:99999/x", "/x", "/x"],
  ["/v1/tasks#x?y", "/v1/tasks#x?y", "/v1/tasks#x"],
  ["http://localhost", "/", "/"],
])("of %s the target is %s and the path %s", (url, target, path) => {
  expect([targetOf(url), pathOf(url)]).toEqual([target, path]);
});
