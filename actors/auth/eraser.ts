/** Has the tasks of erased users erased, by whoever keeps them: asked again until it is done, whatever is away meanwhile. */
import { onceEach } from "../outage.ts";
import { pauseMs } from "../waiting.ts";
import type { Erasures } from "./ports.ts";

export type Eraser = {
  /** There may be something to do now. */
  wake(): void;
  close(): void;
};

export type EraserParts = {
  erasures: Erasures;
  /** Resolves when the tasks' side has taken it for good; may be asked again for the same user. */
  deliver: (userId: string) => Promise<void>;
  began: (reason: string) => void;
  over: () => void;
};

/** Others may have noted an erasure, and a process may have ended before it came to it. */
const lookMs = 5_000;
const pauses = { fromMs: 200, toMs: 5_000 };

export function eraser({ erasures, deliver, began, over }: EraserParts): Eraser {
  const told = onceEach({ began, over });
  let closed = false;
  let wakeUp: () => void = () => undefined;

  void (async () => {
    for (let failures = 0; !closed; ) {
      try {
        for (const userId of await erasures.waiting()) {
          await deliver(userId);
          await erasures.done(userId);
        }
        failures = 0;
        told.fine();
      } catch (error) {
        failures += 1;
        told.failed(error);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, failures === 0 ? lookMs : pauseMs(failures, pauses));
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  })();

  return {
    wake: () => wakeUp(),
    close() {
      closed = true;
      wakeUp();
    },
  };
}
