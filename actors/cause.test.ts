import { expect, test } from "bun:test";
import { connect } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { freePorts } from "../deploy/services/ports.ts";
import { causeOf, withoutCredentials } from "./cause.ts";

test("a connection that is refused names where to and why", async () => {
  const [port = 0] = await freePorts(1);
  const error = await new Promise((resolve) => connect(port, "127.0.0.1").once("error", resolve));
  expect(causeOf(error)).toContain("ECONNREFUSED");
  const wrapped = new Error("Cannot join", { cause: error });
  expect(causeOf(wrapped)).toStartWith("Cannot join; because of ");
  expect(causeOf(wrapped)).toContain("ECONNREFUSED");
});

test("the kind and the code are told where the message does not have them", () => {
  const db = new DatabaseSync(":memory:");
  let thrown: unknown;
  try {
    db.exec("INSERT INTO nowhere VALUES (1)");
  } catch (error) {
    thrown = error;
  }
  db.close();
  expect(causeOf(thrown)).toContain("no such table: nowhere");
  class DriverError extends Error {
    override readonly name = "DriverError";
    readonly code = "EAWAY";
  }
  expect(causeOf(new DriverError("gone"))).toBe("DriverError EAWAY: gone");
  expect(causeOf(new DriverError("EAWAY at once"))).toBe("DriverError: EAWAY at once");
});

test("an error in many, around many or without a word says what there is", () => {
  expect(causeOf(new AggregateError([new Error("first"), new Error("second")]))).toBe(
    "AggregateError; because of first",
  );
  expect(causeOf(new Error("twice", { cause: new Error("twice") }))).toBe("twice");
  expect(causeOf(new Error(""))).toBe("it did not say why");
  expect(causeOf("a text")).toBe("a text");
  expect(causeOf(undefined)).toBe("it did not say why");
  expect(causeOf(new Error("x".repeat(1_000), { cause: new Error("y\nz") }))).toHaveLength(300);
});

test("neither credentials nor a key's values are told", () => {
  const urls = [
    "postgres://tracker:hunter2@db:5432/x",
    "mongodb://u:hunter2@a:1,b:2/x?y=z",
    "redis://:hunter2@r",
    "kafka://u:hun@ter2@k",
    "http://u:hunter2/x@h/path",
  ];
  for (const url of urls) {
    expect(withoutCredentials(`to ${url} now`)).not.toContain("ter2");
    expect(causeOf(new Error(`Cannot reach ${url}`))).not.toContain("ter2");
  }
  expect(withoutCredentials("see http://h/path and https://i")).toBe("see http://h/path and https://i");
  const taken = new Error('E11000 duplicate key error collection: x index: y dup key: { email: "ada@example.com" }');
  expect(causeOf(taken)).toBe("E11000 duplicate key error collection: x index: y");
});
