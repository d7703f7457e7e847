/** Does in the background what erasures are noted, by whichever process: looked for now and then, since another one may have noted it and ended. */
import type { Outage } from "../outage.ts";
import { pauseMs } from "../waiting.ts";

export type ErasingLoop = {
  /** There is something to do now. */
  wake(): void;
};

const lookMs = 5_000;
const pauses = { fromMs: 200, toMs: 5_000 };

export function erasingLoop({
  work,
  outage,
  until,
}: {
  /** False when there is nothing more to do. */
  readonly work: () => Promise<boolean>;
  readonly outage: Outage;
  readonly until: AbortSignal;
}): ErasingLoop {
  let wakeUp = (): void => undefined;
  let isDue = false;
  until.addEventListener("abort", () => wakeUp(), { once: true });

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
      if (until.aborted || isDue) wakeUp();
      isDue = false;
    });
  }

  void (async () => {
    for (let failures = 0; !until.aborted; ) {
      try {
        while (!until.aborted && (await work()));
        outage.fine();
        failures = 0;
      } catch (error) {
        failures += 1;
        outage.failed(error);
      }
      await rest(failures === 0 ? lookMs : pauseMs(failures, pauses));
    }
  })();

  return {
    wake() {
      isDue = true;
      wakeUp();
    },
  };
}
