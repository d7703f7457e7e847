import { expect, test } from "bun:test";
import { variableRows } from "../config.ts";
import { banner } from "./banner.ts";
import { readArguments } from "./cli.ts";

test("without an argument the system runs", () => {
  expect(readArguments([], "1.2.3")).toEqual({ run: true });
});

test("--version prints the version, --help every variable with its default", () => {
  expect(readArguments(["--version"], "1.2.3")).toEqual({ print: "1.2.3" });
  const help = readArguments(["--help"], "1.2.3");
  for (const { name, default: byDefault } of variableRows()) {
    expect("print" in help && help.print).toMatch(new RegExp(`^${name} .*  ${RegExp.escape(byDefault)}  `, "m"));
  }
});

test.each([[["--port"]], [["start"]], [["--help", "x"]], [["--help", "--version"]]])(
  "%j is refused in one line",
  (given) => {
    const answer = readArguments(given, "1.2.3");
    expect("fault" in answer && answer.fault).toMatch(/^Cannot take the argument "[^\n]+$/);
  },
);

test("a program is told one JSON line, a person where to go next", () => {
  const ready = { host: "0.0.0.0", port: 80, adminHost: "::1", adminPort: 81, version: "1.2.3" };
  const line = banner({ terminal: false, ...ready });
  expect(JSON.parse(line)).toEqual({
    ready: true,
    version: "1.2.3",
    url: "http://localhost:80",
    adminUrl: "http://[::1]:81",
  });
  expect(JSON.parse(banner({ terminal: false, ...ready, port: undefined }))).toEqual({
    ready: true,
    version: "1.2.3",
    adminUrl: "http://[::1]:81",
  });
  const withoutPort = banner({ terminal: true, ...ready, port: undefined });
  expect(withoutPort).toContain("http://[::1]:81/readyz");
  for (const part of ["localhost", "undefined", "curl"]) expect(withoutPort).not.toContain(part);
  const text = banner({ terminal: true, ...ready });
  for (const part of ["http://localhost:80/docs", "curl", "Ctrl-C", "http://[::1]:81/readyz"])
    expect(text).toContain(part);
});
