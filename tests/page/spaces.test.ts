/** Somebody with more spaces than one stream follows: the one that is looked at is live all the same. */
import { expect, test } from "bun:test";
import { columnOf, expectNoFaults, register, saved, signedIn, signIn, visitor } from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const followedMax = 50;
type Made = { readonly id: string };

await describePage("the page with very many spaces", {}, ({ chromium, system }) => {
  test("shows at once what others do in the one that changed longest ago, and in the next that is opened", async () => {
    const first = await visitor(chromium, `${system.url}/`);
    const account = await register(first.page, "Ada");
    await first.context.close();
    const send = await signedIn(system.url, account);
    const old: { id: string; projectId: string }[] = [];
    for (let made = 0; made < 2; made++) {
      const { id } = await send<Made>("POST", "/v1/spaces", { name: `Old ${made}` });
      const { id: projectId } = await send<Made>("POST", `/v1/spaces/${id}/projects`, { name: "Launch" });
      old.push({ id, projectId });
    }
    // So many that the old ones are beyond those of a second stream as well, but for the one that is shown.
    for (let made = 0; made < 2 * followedMax; made++) await send("POST", "/v1/spaces", { name: `New ${made}` });
    const address = (at: number) => `/#/s/${old[at]?.id}/board/${old[at]?.projectId}`;
    const ada = await visitor(chromium, system.url + address(0));
    const { page } = ada;
    const asked: string[] = [];
    page.on("response", (answer) => {
      if (answer.url().includes("/v1/events")) asked.push(answer.url());
    });
    await signIn(page, account);
    await columnOf(page, "To do").waitFor();
    await saved(page);
    for (const at of [0, 1]) {
      await page.evaluate((to) => {
        location.hash = to;
      }, address(at).slice(1));
      const id = old[at]?.id ?? "";
      await poll("its stream is open", waitMs, () => asked.some((url) => url.includes(id)));
      const about = `Seen in ${at}`;
      await send("POST", `/v1/spaces/${id}/tasks`, { title: about, projectId: old[at]?.projectId });
      await columnOf(page, "To do").getByText(about).waitFor();
      // By the stream, and not because it was opened anew.
      const before = asked.length;
      await send("POST", `/v1/spaces/${id}/tasks`, { title: `${about} too`, projectId: old[at]?.projectId });
      await columnOf(page, "To do").getByText(`${about} too`).waitFor();
      expect(asked.length).toBe(before);
    }
    expectNoFaults(ada);
    await ada.context.close();
  }, 240_000);
});
