/** Each view as a person uses it: list, day, project, trash, account, members, a finger instead of a mouse. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  type Account,
  columnOf,
  expectNoFaults,
  newProject,
  newSpace,
  quickAdd,
  register,
  saved,
  signedIn,
  signIn,
  titlesIn,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 30_000;

await describePage("each view of the page", {}, ({ chromium, system }) => {
  let ada: Visitor;
  let account: Account;
  beforeAll(async () => {
    ada = await visitor(chromium, `${system.url}/`);
    await ada.page.locator(".entry-card").waitFor();
    account = await register(ada.page, "Ada");
  }, 180_000);
  afterAll(async () => {
    await ada?.context.close();
  }, 120_000);

  const toView = async (name: string) => {
    await ada.page.getByRole("link", { name, exact: true }).click();
    await ada.page.getByRole("heading", { level: 1, name }).waitFor();
  };
  const rows = async () => await ada.page.locator(".task-row .row-title").allTextContents();
  const settings = async () => {
    await ada.page.getByRole("button", { name: "Project settings" }).click();
    return ada.page.getByRole("dialog");
  };

  test("who is new is told how to begin, and an empty board how to go on", async () => {
    const { page } = ada;
    await page.getByRole("heading", { name: "Make your first project" }).waitFor();
    await page.getByRole("button", { name: "Create a project" }).click();
    await page.getByLabel("Project name").fill("Garden");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await columnOf(page, "To do").getByText("Add the first one").waitFor();
    await toView("List");
    await page.getByRole("heading", { name: "No tasks yet" }).waitFor();
    await toView("Trash");
    await page.getByRole("heading", { name: "The trash is empty" }).waitFor();
    expectNoFaults(ada);
  }, 120_000);

  test("columns are added, renamed, moved and removed, and a removal is taken back", async () => {
    const { page } = ada;
    await page.getByRole("link", { name: "Garden" }).click();
    await quickAdd(page, "Dig");
    const dialog = await settings();
    await dialog.getByPlaceholder("Add column").fill("Waiting");
    await dialog.getByRole("button", { name: "Add", exact: true }).click();
    await dialog.getByRole("textbox", { name: "Column name 4" }).fill("Waiting for rain");
    await dialog.getByRole("textbox", { name: "Column name 4" }).press("Enter");
    for (let step = 0; step < 3; step++)
      await dialog.getByRole("button", { name: "Move left: Waiting for rain" }).click();
    await dialog.getByRole("textbox", { name: "What it is about" }).fill("Beds and paths");
    await dialog.getByRole("textbox", { name: "What it is about" }).blur();
    const names = () => page.locator(".column h2").allTextContents();
    expect(await names()).toEqual(["Waiting for rain", "To do", "In progress", "Done"]);
    await dialog.getByRole("button", { name: "Remove column: To do" }).click();
    await page.keyboard.press("Escape");
    // The task goes to the first column of the same status.
    await columnOf(page, "Waiting for rain").getByText("Dig").waitFor();
    expect(await names()).toEqual(["Waiting for rain", "In progress", "Done"]);
    await page.getByRole("button", { name: "Undo" }).click();
    await columnOf(page, "To do").getByText("Dig").waitFor();
    await saved(page);
    const send = await signedIn(system.url, account);
    const { items } = await send<{ items: { description: string; columns: { name: string }[] }[] }>(
      "GET",
      "/v1/projects",
    );
    expect(items[0]?.columns.map(({ name }) => name)).toEqual(["Waiting for rain", "To do", "In progress", "Done"]);
    expect(items[0]?.description).toBe("Beds and paths");
    expectNoFaults(ada);
  }, 120_000);

  test("a list keeps its filters, order and groups in the address, a reload and a link show the same", async () => {
    const { page } = ada;
    for (const line of ["Sow !urgent #seeds", "Water !low @ada", "Harvest !high #seeds @ada"])
      await quickAdd(page, line);
    await toView("List");
    await page.getByRole("button", { name: "Priority", exact: true }).click();
    expect(await rows()).toEqual(["Sow", "Harvest", "Water", "Dig"]);
    await page.getByRole("combobox", { name: "Label" }).selectOption("seeds");
    expect(await rows()).toEqual(["Sow", "Harvest"]);
    await page.getByRole("combobox", { name: "Group by" }).selectOption({ label: "Group: Assignee" });
    expect(await page.locator(".group-name").allTextContents()).toEqual(["Unassigned1", "Ada1"]);
    const address = page.url();
    expect(address).toContain("sort=priority");
    await page.reload();
    await poll("the same is shown", waitMs, async () => (await rows()).join() === "Sow,Harvest");
    await page.getByRole("button", { name: "Clear filters" }).click();
    expect((await rows()).length).toBe(4);
    await page.goto(address);
    await poll("the link shows it", waitMs, async () => (await rows()).join() === "Sow,Harvest");
    await page.getByRole("searchbox", { name: "Search tasks" }).fill("nothing like it");
    await page.getByRole("heading", { name: "No task matches" }).waitFor();
    await page.getByRole("button", { name: "Clear filters" }).click();
    await page.getByRole("button", { name: /^Water/ }).focus();
    await page.keyboard.press("x");
    await poll("what is done is out of the list", waitMs, async () => !(await rows()).includes("Water"));
    const isOnRow = () => page.evaluate(() => document.activeElement?.closest(".task-row") instanceof HTMLElement);
    await poll("the focus goes on to another row", waitMs, isOnRow);
    await page.getByRole("checkbox", { name: "Show completed" }).check();
    expect(await rows()).toContain("Water");
    expectNoFaults(ada);
  }, 120_000);

  test("a task goes to a column of another project by the menu, from a list too, and out of all projects", async () => {
    const { page } = ada;
    await page.getByRole("link", { name: "Garden" }).click();
    await quickAdd(page, "Paint");
    await newProject(page, "House");
    await toView("List");
    await page.getByRole("button", { name: /^Paint/ }).focus();
    await page.keyboard.press("m");
    const dialog = page.getByRole("dialog", { name: "Move to…" });
    expect(await dialog.getByRole("button", { name: "Waiting for rain" }).count()).toBe(1);
    await dialog.getByRole("combobox", { name: "Project to move to" }).selectOption("House");
    await dialog.getByRole("button", { name: "In progress" }).click();
    await page.locator(".toast").getByText("Moved “Paint” to House · In progress").waitFor();
    await page.getByRole("link", { name: "House" }).click();
    await columnOf(page, "In progress")
      .getByRole("button", { name: /^Paint/ })
      .click();
    const panel = page.getByRole("complementary");
    await panel.getByRole("button", { name: "More actions" }).first().click();
    await page.getByRole("menuitem", { name: "Move to…" }).click();
    await dialog.getByRole("combobox", { name: "Project to move to" }).selectOption("No project");
    await dialog.getByRole("button", { name: "To do" }).click();
    await panel.getByRole("link", { name: "Inbox" }).waitFor();
    await saved(page);
    const send = await signedIn(system.url, account);
    const { items } = await send<{ items: { projectId: string | null; status: string }[] }>("GET", "/v1/tasks?q=Paint");
    expect(items.map(({ projectId, status }) => [projectId, status])).toEqual([[null, "todo"]]);
    await page.getByRole("button", { name: "Undo" }).click();
    await columnOf(page, "In progress")
      .getByRole("button", { name: /^Paint/ })
      .waitFor();
    await page.keyboard.press("Escape");
    await saved(page);
    expectNoFaults(ada);
  }, 120_000);

  test("my day gathers what is due over all spaces", async () => {
    const { page } = ada;
    await page.getByRole("link", { name: "Garden" }).click();
    await quickAdd(page, "Prune today");
    await newSpace(page, "Choir");
    await newProject(page, "Concert");
    await quickAdd(page, "Rehearse tomorrow @ada");
    await quickAdd(page, "Somebody else's tomorrow");
    await toView("My day");
    await page.getByRole("region", { name: "Today" }).getByText("Prune").waitFor();
    await page.getByRole("region", { name: "Next 7 days" }).getByText("Rehearse").waitFor();
    expect(await rows()).not.toContain("Somebody else's");
    await page.getByRole("button", { name: "Mark “Prune” as done" }).click();
    await page.getByRole("region", { name: "Today" }).waitFor({ state: "detached" });
    await saved(page);
    expectNoFaults(ada);
  }, 120_000);

  test("a comment is changed and taken away, and its place says so when there is none", async () => {
    const { page } = ada;
    await page.getByRole("link", { name: "Concert" }).click();
    await columnOf(page, "To do")
      .getByRole("button", { name: /^Rehearse/ })
      .click();
    const panel = page.getByRole("complementary");
    await panel.getByText("No comments yet.").waitFor();
    await panel.getByLabel("Write a comment").fill("At seven");
    await panel.getByRole("button", { name: "Comment", exact: true }).click();
    const comment = panel.locator(".comment");
    await comment.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Edit comment" }).click();
    await comment.getByLabel("Edit comment").fill("At **eight**");
    await comment.getByRole("button", { name: "Save" }).click();
    await comment.locator("strong", { hasText: "eight" }).waitFor();
    await saved(page);
    await comment.getByText("(edited)").waitFor();
    await comment.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Delete", exact: true }).click();
    await panel.getByText("No comments yet.").waitFor();
    await saved(page);
    expectNoFaults(ada);
  }, 120_000);

  test("the slider shows a task as it was, and brings that back", async () => {
    const { page } = ada;
    const panel = page.getByRole("complementary");
    const title = panel.getByRole("textbox", { name: "Title" });
    for (const next of ["Rehearse the first part", "Rehearse everything"]) {
      await title.fill(next);
      await title.press("Enter");
      await saved(page);
    }
    await panel.getByRole("tab", { name: "History" }).click();
    const slider = panel.getByRole("slider", { name: "Go back in time" });
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    await panel.locator(".past").getByText("Rehearse the first part").waitFor();
    await page.keyboard.press("Home");
    await panel.locator(".past strong").getByText("Rehearse", { exact: true }).waitFor();
    await panel.getByRole("button", { name: "Restore this version" }).click();
    await columnOf(page, "To do")
      .getByRole("button", { name: /^Rehearse Tomorrow/ })
      .waitFor();
    await saved(page);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    expectNoFaults(ada);
  }, 120_000);

  test("a deleted project comes back from the trash, and a deleted space from the settings", async () => {
    const { page } = ada;
    const dialog = await settings();
    await dialog.getByRole("button", { name: "Delete project" }).click();
    await page.getByRole("link", { name: "Concert" }).waitFor({ state: "detached" });
    await saved(page);
    await toView("Trash");
    await page.getByRole("listitem").filter({ hasText: "Concert" }).getByRole("button", { name: "Restore" }).click();
    await page.getByRole("link", { name: "Concert" }).click();
    await columnOf(page, "To do").getByText("Rehearse").waitFor();
    await saved(page);
    page.once("dialog", (asked) => void asked.accept());
    await page.getByRole("button", { name: "Spaces: Choir" }).click();
    await page.getByRole("menuitem", { name: "Delete space" }).click();
    await page.getByRole("button", { name: "Spaces: Personal" }).waitFor();
    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("menuitem", { name: "Settings" }).click();
    await page
      .getByRole("listitem")
      .filter({ hasText: "Choir" })
      .getByRole("button", { name: "Restore space" })
      .click();
    await page.getByRole("button", { name: /^Spaces/ }).click();
    await page.getByRole("menuitem", { name: "Choir" }).click();
    await page.getByRole("link", { name: "Concert" }).waitFor();
    expectNoFaults(ada);
  }, 120_000);

  test("name, password, sessions and tokens are changed in the settings", async () => {
    const { page } = ada;
    const other = await signedIn(system.url, account);
    await page.goto(`${system.url}/#/settings`);
    const block = (name: string) =>
      page.locator(".block").filter({ has: page.getByRole("heading", { name, exact: true }) });
    await block("Account").getByLabel("Name").fill("Ada Lovelace");
    await block("Account").getByRole("button", { name: "Save name" }).click();
    await page.getByRole("button", { name: "Account: Ada Lovelace" }).waitFor();
    await block("Sessions").getByText("Chrome, Linux").waitFor();
    await block("API tokens").getByLabel("Token name").fill("script");
    await block("API tokens").getByLabel("Valid until").fill("2099-12-31");
    await block("API tokens").getByRole("checkbox", { name: "Change tasks" }).uncheck();
    await block("API tokens").getByRole("button", { name: "New token" }).click();
    const secret = await block("API tokens").getByRole("textbox", { name: "New token" }).inputValue();
    const withToken = (method: string) =>
      fetch(`${system.url}/v1/tasks`, {
        method,
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        ...(method === "POST" ? { body: JSON.stringify({ title: "By the token" }) } : {}),
      });
    expect([(await withToken("GET")).status, (await withToken("POST")).status]).toEqual([200, 403]);
    await block("API tokens").getByText("until 31 Dec 2099").waitFor();
    expect(await block("API tokens").locator(".person-name").textContent()).toBe("scriptRead tasks");
    await block("API tokens").getByRole("button", { name: "Delete token" }).click();
    await block("API tokens").getByText("No API tokens yet.").waitFor();
    const wrong = block("Change password");
    await wrong.getByLabel("Current password").fill("not the password");
    await wrong.getByLabel("New password").fill("another correct horse");
    await wrong.getByRole("button", { name: "Change password" }).click();
    await wrong.getByRole("alert").waitFor();
    await wrong.getByLabel("Current password").fill(account.password);
    await wrong.getByRole("button", { name: "Change password" }).click();
    await wrong.getByText("Password changed").waitFor();
    const email = `new-${account.email}`;
    await block("Account").getByLabel("E-mail").fill(email);
    await block("Account").getByLabel("Current password").fill("another correct horse");
    await block("Account").getByRole("button", { name: "Change e-mail" }).click();
    await block("Account").getByText("Saved").nth(1).waitFor();
    account = { email, password: "another correct horse" };
    await signedIn(system.url, account);
    await poll(
      "the other session is over",
      waitMs,
      async () =>
        await other("GET", "/v1/auth/me").then(
          () => false,
          () => true,
        ),
    );
    expectNoFaults(ada);
  }, 120_000);

  test("a finger holds a card, moves it, and scrolls when it does not hold", async () => {
    const { page } = await visitor(chromium, `${system.url}/`, { isNarrow: true });
    const phone = { page, context: page.context(), faults: [] as string[] };
    await signIn(page, account);
    await page.getByRole("button", { name: "Open menu" }).click();
    await page.getByRole("link", { name: "Garden" }).click();
    await poll("the cards are there", waitMs, async () => (await titlesIn(page, "Waiting for rain")).length >= 2);
    const before = await titlesIn(page, "Waiting for rain");
    const boxes = await Promise.all(
      [0, 1].map((at) => columnOf(page, "Waiting for rain").locator(".card").nth(at).boundingBox()),
    );
    const [first, second] = boxes;
    if (first == null || second == null) throw new Error("Cannot see the cards");
    const cdp = await phone.context.newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", x: number, y: number) =>
      cdp.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x, y }] });
    const [x, y] = [first.x + 100, first.y + 20];
    await touch("touchStart", x, y);
    await page.locator(".ghost").waitFor();
    for (const step of [0.3, 0.6, 1]) await touch("touchMove", x, y + (second.y + second.height - first.y) * step);
    await touch("touchEnd", 0, 0);
    const wanted = [before[1], before[0], ...before.slice(2)];
    await poll(
      "the first is the second",
      waitMs,
      async () => (await titlesIn(page, "Waiting for rain")).join() === wanted.join(),
    );
    await saved(page);
    // A quick stroke is for scrolling: nothing is lifted.
    await touch("touchStart", x, y);
    await touch("touchMove", x, y + 60);
    await touch("touchMove", x, y + 120);
    expect(await page.locator(".ghost").count()).toBe(0);
    await touch("touchEnd", 0, 0);
    expect(await titlesIn(page, "Waiting for rain")).toEqual(wanted as string[]);
    await phone.context.close();
  }, 120_000);

  test("a viewer sees all and is offered nothing that would be refused", async () => {
    const { page } = ada;
    await page.getByRole("button", { name: /^Spaces/ }).click();
    await page.getByRole("menuitem", { name: "Choir" }).click();
    await toView("Members");
    await page.getByLabel("They join as").selectOption("viewer");
    await page.getByLabel("Note (for yourself)").fill("For the audience");
    await page.getByRole("button", { name: "Create link" }).click();
    const link = page.getByRole("textbox", { name: "Copy link" });
    await link.waitFor();
    await page.getByText("For the audience").waitFor();
    const bob = await visitor(chromium, await link.inputValue());
    await register(bob.page, "Bob");
    await bob.page.getByText("You can view this space").waitFor();
    await bob.page.getByRole("link", { name: "Concert" }).click();
    await columnOf(bob.page, "To do")
      .getByRole("button", { name: /^Rehearse/ })
      .click();
    expect(await bob.page.getByRole("button", { name: "Add task" }).count()).toBe(0);
    expect(await bob.page.getByRole("textbox", { name: "Title" }).isDisabled()).toBe(true);
    await page.getByRole("combobox", { name: "Role: Bob" }).selectOption("member");
    await bob.page.getByRole("button", { name: "Add task", exact: true }).waitFor();
    await bob.page.getByLabel("Write a comment").waitFor();
    expectNoFaults(bob);
    expectNoFaults(ada);
    await bob.context.close();
  }, 120_000);

  test("an account is erased by its owner, who is then signed out and leaves nothing in the browser", async () => {
    const eve = await visitor(chromium, `${system.url}/`);
    const { page } = eve;
    const own = await register(page, "Eve");
    await newProject(page, "To be gone");
    await saved(page);
    await page.goto(`${system.url}/#/settings`);
    const block = page.locator(".block").filter({ has: page.getByRole("heading", { name: "Delete account" }) });
    page.on("dialog", (asked) => void asked.accept());
    await block.getByLabel("Current password").fill("not the password");
    await block.getByRole("button", { name: "Delete account" }).click();
    await block.getByRole("alert").waitFor();
    await block.getByLabel("Current password").fill(own.password);
    await block.getByRole("button", { name: "Delete account" }).click();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain(own.email);
    const again = await fetch(`${system.url}/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(own),
    });
    expect(again.status).toBe(401);
    expectNoFaults(eve);
    await eve.context.close();
  }, 120_000);

  test("in Russian, dates and texts are Russian", async () => {
    const eva = await visitor(chromium, `${system.url}/`, { locale: "ru-RU" });
    const { page } = eva;
    await page.getByRole("heading", { name: "С возвращением" }).waitFor();
    await page.locator("input[name=email]").fill(account.email);
    await page.locator("input[name=password]").fill("not the password");
    await page.locator("form button[type=submit]").click();
    await page.getByRole("alert").getByText("Адрес или пароль неверны.").waitFor();
    // What is wrong with one field is told of that field.
    await page.locator(".entry-other button").click();
    await page.locator("input[name=password]").fill("password123");
    await page.locator("form button[type=submit]").click();
    await page.getByRole("alert").getByText("Пароль: слишком распространённый пароль").waitFor();
    await page.locator(".entry-other button").click();
    await signIn(page, account);
    await page.getByRole("heading", { level: 1, name: "Мой день" }).waitFor();
    expect(await page.locator(".day-date").textContent()).toMatch(/[а-я]{5,}, \d+ [а-я]+/i);
    await page.locator("body").press("c");
    await page.getByRole("dialog").getByRole("textbox").fill("Позвонить завтра в 9 утра");
    await page.getByRole("dialog").locator(".chip.due").getByText("Завтра").waitFor();
    await page.keyboard.press("Escape");
    // Three forms: of one, of a few, of many.
    await eva.context.setOffline(true);
    const forms = new Map([
      [1, "1 изменение ждёт"],
      [2, "2 изменения ждут"],
      [5, "5 изменений ждут"],
    ]);
    for (let n = 1; n <= 5; n++) {
      await quickAdd(page, `Без сети ${n}`, "Что нужно сделать?");
      const form = forms.get(n);
      if (form !== undefined) await page.locator(".save-state").getByText(form).waitFor({ state: "attached" });
    }
    await eva.context.setOffline(false);
    await page.getByText("Всё сохранено").waitFor({ state: "attached" });
    expectNoFaults(eva);
    await eva.context.close();
  }, 120_000);
});
