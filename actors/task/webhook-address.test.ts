/** For which addresses webhooks are made. */
import { expect, test } from "bun:test";
import { webhookAddressFault } from "./webhook-address.ts";

test("where nothing is allowed every address is of https", () => {
  const fault = webhookAddressFault([]);
  for (const url of ["http://a.example/", "http://8.8.8.8/", "http://[::1]/"])
    expect(fault(url), url).toContain("https");
  expect(fault("https://a.example/")).toBeUndefined();
});

test("where something is allowed http is taken for that and for names, which only an attempt resolves", () => {
  const fault = webhookAddressFault(["10.1.0.0/16", "::1"]);
  for (const url of ["http://10.1.2.3:8080/", "http://[::1]/", "http://hook.internal/", "https://10.2.0.1/"])
    expect(fault(url), url).toBeUndefined();
  for (const url of ["http://10.2.0.1/", "http://[::2]/", "http://8.8.8.8/"])
    expect(fault(url), url).toContain("https");
});
