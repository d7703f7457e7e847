/** Links that carry a secret: they work in a page that is open already, for who is signed in, and through a failure of the server. */
import { expect, test } from "bun:test";
import {
  type Account,
  expectNoFaults,
  newProject,
  newSpace,
  register,
  saved,
  signedIn,
  signIn,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { tracker } from "../system/tracker.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;

await describePage("a link to the page", {}, ({ chromium, system }) => {
  async function team(name: string): Promise<{ token: string; account: Account }> {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newSpace(page, name);
    await newProject(page, "Launch");
    await saved(page);
    const spaceId = /#\/s\/([^/]+)/.exec(page.url())?.[1];
    await context.close();
    const send = await signedIn(system.url, account);
    const { token } = await send<{ token: string }>("POST", `/v1/spaces/${spaceId}/invitations`, { role: "member" });
    return { token, account };
  }

  test("of an invitation is kept while the server does not answer, and said to be over only when it is", async () => {
    const { token } = await team("Kept team");
    const bob = await visitor(chromium, `${system.url}/#/join/${token}`);
    const { page } = bob;
    let refusals = 0;
    let isBack = false;
    await page.route(/\/invitations\/accept$/, async (route) => {
      if (isBack) return await route.continue();
      refusals += 1;
      await (refusals > 1 ? route.fulfill({ status: 502, body: "" }) : route.abort());
    });
    await register(page, "Bob");
    await page.getByText("The server cannot be reached. You join as soon as it can.").waitFor();
    await poll("it has been tried again", waitMs, () => refusals > 1);
    isBack = true;
    await page.getByRole("button", { name: "Spaces: Kept team" }).waitFor({ timeout: waitMs });
    // Pasted into the address of a page that is open; this one is spent.
    await page.evaluate(
      (to) => {
        location.hash = to;
      },
      `#/join/ti_${"x".repeat(43)}`,
    );
    await page.getByText("This invitation is no longer valid.").waitFor();
    expect(page.url()).not.toContain("ti_");
    await bob.context.close();
  }, 180_000);

  test("of an invitation works in a page that is open, with somebody signed in or not", async () => {
    const { token } = await team("First team");
    const { token: other } = await team("Second team");
    const bob = await visitor(chromium, `${system.url}/`);
    const { page } = bob;
    const open = (secret: string) =>
      page.evaluate((to) => {
        location.hash = to;
      }, `#/join/${secret}`);
    await page.getByRole("button", { name: "Create account" }).waitFor();
    await open(token);
    await page.getByText("create an account to join").waitFor();
    await register(page, "Bob");
    await page.getByRole("button", { name: "Spaces: First team" }).waitFor();
    await open(other);
    await page.getByRole("button", { name: "Spaces: Second team" }).waitFor();
    expect(page.url()).not.toContain("ti_");
    expectNoFaults(bob);
    await bob.context.close();
  }, 180_000);

  test("to a new password works for who is signed in, in the page that is open", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    const env = { DATA_DIR: system.dataDir, PORT: new URL(system.url).port };
    const { code, out, err } = await tracker(["reset-password", account.email], env).exited;
    expect(code, err).toBe(0);
    const [, token] = /#reset=(\S+)/.exec(out) ?? [];
    await page.evaluate((to) => {
      location.hash = to;
    }, `#reset=${token}`);
    await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
    expect(page.url()).not.toContain(token ?? "none");
    await page.getByLabel("New password").fill("an entirely new one 7");
    await page.getByRole("button", { name: "Save password" }).click();
    await poll("the session is over", waitMs, async () => await page.getByText("Welcome back").isVisible());
    await page.getByText("Your password has been changed").waitFor();
    await signIn(page, { ...account, password: "an entirely new one 7" });
    await page.getByRole("link", { name: "Launch" }).waitFor();
    await context.close();
  }, 240_000);
});
