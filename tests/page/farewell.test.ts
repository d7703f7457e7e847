/** Sessions that end, and ends that the server does not hear of: whom it concerns is told, and nothing is taken for done that is not. */
import { expect, test } from "bun:test";
import {
  newProject,
  quickAdd,
  register,
  saved,
  signedIn,
  signIn,
  signOut,
  titlesIn,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
type Sessions = { items: { id: string }[] };

await describePage("the page at the end of a session", {}, ({ chromium, system }) => {
  test("says that it was ended elsewhere and what is kept, and goes on with that when the same person comes back", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    await page.route(/\/batch$/, (route) => route.abort());
    await quickAdd(page, "Kept");
    await quickAdd(page, "Kept as well");
    const send = await signedIn(system.url, account);
    await send("POST", "/v1/auth/logout-all");
    await page.getByText("Your session has ended").waitFor({ timeout: waitMs });
    await page.getByText(`2 changes are kept here until ${account.email} signs in`).waitFor();
    expect(await page.locator("input[name=email]").inputValue()).toBe(account.email);
    await page.unroute(/\/batch$/);
    await signIn(page, account);
    await page.getByRole("link", { name: "Launch" }).click();
    await poll("both are there", waitMs, async () => (await titlesIn(page, "To do")).length === 2);
    await saved(page);
    const again = await signedIn(system.url, account);
    expect((await again<Sessions>("GET", "/v1/tasks")).items.length).toBe(2);
    // Who signs out needs no word of it.
    await signOut(page);
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    expect(await page.getByText("Your session has ended").count()).toBe(0);
    await context.close();
  }, 180_000);

  test("says that the server has not heard of a sign-out, and tells it as soon as it can, after a reload too", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    const send = await signedIn(system.url, account);
    const count = async () => (await send<Sessions>("GET", "/v1/auth/sessions")).items.length;
    const before = await count();
    await context.route(/\/v1\/auth\/logout$/, (route) => route.abort());
    await signOut(page);
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await page.getByText("the server could not be told yet").waitFor();
    expect(await count()).toBe(before);
    await page.reload();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await context.unroute(/\/v1\/auth\/logout$/);
    await poll("the session is over", waitMs, async () => (await count()) === before - 1);
    await signIn(page, account);
    await page.getByRole("link", { name: "Launch" }).waitFor();
    await context.close();
  }, 180_000);

  test("tells of sessions and tokens that could not be ended, and stays signed in where all were to end", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    const send = await signedIn(system.url, account);
    await send("POST", "/v1/auth/tokens", { name: "script" });
    await page.goto(`${system.url}/#/settings`);
    const block = (name: string) =>
      page.locator(".block").filter({ has: page.getByRole("heading", { name, exact: true }) });
    await page.route(/\/v1\/auth\/(sessions|tokens)\/|\/logout-all$/, (route) => route.abort());
    for (const [name, button] of [
      ["Sessions", "End session"],
      ["API tokens", "Delete token"],
    ] as const) {
      await block(name).getByRole("button", { name: button }).click();
      await block(name).getByRole("alert").getByText("The server cannot be reached").waitFor();
    }
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.locator(".toast").getByText("The server cannot be reached").waitFor();
    expect((await send<Sessions>("GET", "/v1/auth/sessions")).items.length).toBe(2);
    await page.unroute(/\/v1\/auth\/(sessions|tokens)\/|\/logout-all$/);
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await context.close();
  }, 180_000);
});
