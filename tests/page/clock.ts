/** A clock that is not right, or has gone on. */
import type { Page } from "../system/browser.ts";

/** By so many milliseconds as `localStorage` says. */
export async function shiftClock(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const offsetMs = () => Number(localStorage.getItem("clock-offset") ?? 0);
    const Real = Date;
    class Shifted extends Real {
      constructor(...given: unknown[]) {
        if (given.length === 0) super(Real.now() + offsetMs());
        else super(...(given as [number]));
      }
      static override now(): number {
        return Real.now() + offsetMs();
      }
    }
    globalThis.Date = Shifted as DateConstructor;
  });
}
