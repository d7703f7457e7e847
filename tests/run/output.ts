/** What one run of `bun test` printed, read for the summary of `npm test`. Pure. */

export type Outcome = {
  readonly pass: number;
  readonly fail: number;
  readonly skip: number;
  /** The output without its own summary, from which nothing is lost that tells why. */
  readonly text: string;
  /** Titles of tests that failed. */
  readonly failed: readonly string[];
  /** A hook failed before the tests: they did not run, and this is the reason. */
  readonly hookFault?: string;
};

const summaryLine = /^ *(\d+) (pass|fail|skip|todo)$|^ *\d+ expect\(\) calls$|^Ran \d+ tests? across /;

export function readOutput(printed: string): Outcome {
  const counts = { pass: 0, fail: 0, skip: 0 };
  const kept: string[] = [];
  const failed: string[] = [];
  let hookFault: string | undefined;
  let error: string | undefined;
  for (const line of Bun.stripANSI(printed).split("\n")) {
    const [isSummary, count, word] = summaryLine.exec(line) ?? [];
    if (isSummary !== undefined) {
      if (count !== undefined) counts[word === "todo" ? "skip" : (word as keyof typeof counts)] += Number(count);
      continue;
    }
    kept.push(line);
    if (/^(error|\w*Error): /.test(line)) error ??= line;
    const [, title] = /^\(fail\) (.*?)(?: \[[\d.]+m?s\])?$/.exec(line) ?? [];
    // Bun gives a hook that failed the place of a test without a name, and leaves out the tests that it was for.
    if (title?.endsWith("(unnamed)")) hookFault ??= error ?? "it did not end in time";
    if (title !== undefined) failed.push(title);
    if (/^\((pass|fail|skip|todo)\) /.test(line)) error = undefined;
  }
  return { ...counts, text: kept.join("\n").trim(), failed, ...(hookFault === undefined ? {} : { hookFault }) };
}

export type FileResult = { readonly name: string; readonly code: number | null; readonly outcome: Outcome };

/** The end of `npm test`: what failed, once, and the numbers. */
export function summary(results: readonly FileResult[], elapsedMs: number): string {
  const sum = (word: "pass" | "fail" | "skip") => results.reduce((total, { outcome }) => total + outcome[word], 0);
  const lines: string[] = [];
  for (const { name, code, outcome } of results) {
    if (outcome.hookFault !== undefined)
      lines.push(`${name}: could not be set up, so its tests did not run: ${outcome.hookFault}`);
    else if (outcome.fail > 0) lines.push(...outcome.failed.map((title) => `${name}: ${title}`));
    else if (code !== 0) lines.push(`${name}: ended with ${code ?? "a signal"}`);
  }
  const minutes = `${Math.floor(elapsedMs / 60_000)} min ${Math.round((elapsedMs % 60_000) / 1_000)} s`;
  const failed = lines.length === 0 ? [] : ["Failed:", ...lines.map((line) => `  ${line}`), ""];
  return [
    "",
    ...failed,
    ` ${sum("pass")} pass`,
    ` ${sum("skip")} skip`,
    ` ${sum("fail")} fail`,
    `${results.length} files in ${minutes}`,
    "",
  ].join("\n");
}
