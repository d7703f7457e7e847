/** Notices that this thread was kept from its turns, as when its process was halted: what others were told meanwhile it has not heard yet, and requests are waiting. */
import { settles } from "../waiting.ts";

export type StoodStill = {
  /** Undefined where nothing has to be waited for. Resolves, sooner or later, whatever came of it. */
  caughtUp(): Promise<unknown> | undefined;
  end(): void;
};

const lookMs = 200;
/** Together with the time since it heard last, less than the second within which what has ended is refused. */
const stillMs = 500;
const catchUpMs = 1_000;

export function stoodStill(catchUp: () => Promise<void>, now: () => number): StoodStill {
  let lookedMs = now();
  let underWay: Promise<unknown> | undefined;

  /** Whichever comes first, a request or the timer, notices it. */
  function look(): void {
    const nowMs = now();
    const isLate = nowMs - lookedMs > lookMs + stillMs;
    lookedMs = nowMs;
    if (!isLate) return;
    const begun = settles(catchUp(), catchUpMs).then(() => {
      if (underWay === begun) underWay = undefined;
    });
    underWay = begun;
  }
  const looking = setInterval(look, lookMs);

  return {
    caughtUp() {
      look();
      return underWay;
    },
    end: () => clearInterval(looking),
  };
}
