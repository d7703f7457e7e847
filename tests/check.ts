/**
 * The gate of every change, `npm run check`: format and lint, the types of each part, then all unit tests. Nothing of it needs a server.
 * What fails is shown; the rest is quiet.
 */
import { helpIfAsked } from "../bench/http/options.ts";
import { endAll, runBun } from "./run/children.ts";

helpIfAsked(import.meta.url);

/** The types of the whole take about as long as everything else that looks at the sources: one beside the other. */
const lookedAt: readonly (readonly (readonly string[])[])[] = [
  [["tsc", "--noEmit"]],
  [
    ["biome", "check", "."],
    ["tsc", "--noEmit", "-p", "web"],
    ["tsc", "--noEmit", "-p", "tests/page"],
    ["tsc", "--noEmit", "-p", "clients/typescript"],
  ],
];

for (const [name, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)
  process.once(name, () => void endAll().then(() => process.exit(code)));

/** Whether it went well. */
async function passes(step: readonly string[]): Promise<boolean> {
  const { code, text } = await runBun(["run", "--silent", ...step]);
  if (code !== 0) process.stderr.write(`${step.join(" ")}\n${text}\n`);
  return code === 0;
}

async function allPass(steps: readonly (readonly string[])[]): Promise<boolean> {
  let good = true;
  for (const step of steps) good = (await passes(step)) && good;
  return good;
}

const isTidy = (await Promise.all(lookedAt.map(allPass))).every(Boolean);
const unitTests = ["test", "--parallel=2", "--timeout", "120000", "./runtime", "./actors"];
process.exitCode = isTidy ? ((await runBun(unitTests, { shown: true })).code ?? 1) : 1;
