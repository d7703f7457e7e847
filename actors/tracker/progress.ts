/** How far a long command is: a bar that is drawn anew at a terminal, a line now and then elsewhere (a file, a container's log). */

export type ProgressReporter = {
  /** `done` of `total`. May be called as often as one likes. */
  update(done: number, total: number): void;
  /** What comes next and cannot be counted. */
  stage(what: string): void;
  /** Removes the bar, so that something else can be printed; the next update draws it again. */
  clear(): void;
  /** `clear`, and nothing is reported after it. */
  end(): void;
};

export type ProgressOptions = {
  readonly write: (text: string) => void;
  readonly terminal: boolean;
  /** Columns of the terminal. */
  readonly width: number;
  readonly unit: string;
  readonly nowMs: () => number;
};

const redrawMs = 100;
const lineEveryMs = 10_000;
const eraseLine = "\r\x1b[K";
const barMax = 30;

export function progressReporter({ write, terminal, width, unit, nowMs }: ProgressOptions): ProgressReporter {
  const startedMs = nowMs();
  let shownMs = terminal ? Number.NEGATIVE_INFINITY : startedMs;
  let hasBar = false;
  let ended = false;
  const show = (text: string): void => {
    shownMs = nowMs();
    hasBar = terminal;
    write(terminal ? `${eraseLine}${text}` : `${text}\n`);
  };
  const clear = (): void => {
    if (hasBar) write(eraseLine);
    hasBar = false;
  };
  return {
    clear,
    update(done, total) {
      if (ended || nowMs() - shownMs < (terminal ? redrawMs : lineEveryMs)) return;
      const figures = { done, total, elapsedMs: nowMs() - startedMs, unit };
      show(terminal ? progressBar({ ...figures, width }) : progressText(figures));
    },
    stage(what) {
      if (!ended) show(terminal ? what.slice(0, width - 1) : what);
    },
    end() {
      clear();
      ended = true;
    },
  };
}

type Figures = { readonly done: number; readonly total: number; readonly elapsedMs: number; readonly unit: string };

/** `450,000 of 1,000,000 commands, 38,000 a second, 14 s left`. */
export function progressText({ done, total, elapsedMs, unit }: Figures): string {
  const perSecond = elapsedMs > 0 ? (done * 1_000) / elapsedMs : 0;
  const left = perSecond > 0 ? `, ${duration((total - done) / perSecond)} left` : "";
  return `${grouped(done)} of ${grouped(total)} ${unit}, ${grouped(perSecond)} a second${left}`;
}

/** The same behind a percentage and a bar, shortened to the terminal's width: a line that wraps cannot be drawn over. */
export function progressBar({ width, ...figures }: Figures & { readonly width: number }): string {
  const share = figures.total > 0 ? Math.min(1, figures.done / figures.total) : 1;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const text = progressText(figures);
  const cells = Math.min(barMax, width - percent.length - text.length - 6);
  const filled = Math.floor(share * cells);
  const bar = cells >= 5 ? ` [${"#".repeat(filled)}${"-".repeat(cells - filled)}] ` : " ";
  return `${percent}${bar}${text}`.slice(0, Math.max(1, width - 1));
}

const grouped = (count: number): string => Math.round(count).toLocaleString("en");

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 100) return `${whole} s`;
  return whole < 6_000 ? `${Math.ceil(whole / 60)} min` : `${Math.ceil(whole / 3_600)} h`;
}
