/** Real servers for a test file: as the environment gives them, else the shared set; what cannot be had is a skip that says why. */
import { describe } from "bun:test";
import {
  type PrivateService,
  type ServiceName,
  serviceNames,
  startPrivate,
  type Urls,
  up,
  variableOf,
} from "../../deploy/services/services.ts";

export type Missing = { readonly missing: string };

const begun = new Map<ServiceName, Promise<{ url: string } | Missing>>();

/** The URL by the name of its variable. With `CI=true` it is an error when it cannot be had. */
export function service(variable: keyof Urls): Promise<{ url: string } | Missing> {
  const name = serviceNames.find((each) => variableOf[each] === variable);
  if (name === undefined) throw new Error(`Cannot tell which service ${variable} is of`);
  const found = begun.get(name) ?? had(name);
  begun.set(name, found);
  return found;
}

async function had(name: ServiceName): Promise<{ url: string } | Missing> {
  const { urls, missing } = await up({ only: [name] });
  const url = urls[variableOf[name]];
  return url === undefined ? absent(name, missing[0]?.reason ?? "unknown") : { url };
}

/** One for the caller alone, to be hurt and then stopped. */
export async function privateService(name: ServiceName): Promise<PrivateService | Missing> {
  try {
    return await startPrivate(name);
  } catch (error) {
    return absent(name, error instanceof Error ? error.message : "unknown");
  }
}

function absent(name: ServiceName, reason: string): Missing {
  if (process.env.CI === "true") throw new Error(`Cannot test with ${name}: ${reason}`);
  return { missing: `${name}: ${reason}` };
}

/** A group of tests that need these; where one is missing they are skipped, and the title says why. */
export function describeWith<Needs extends readonly object[]>(
  title: string,
  needs: readonly [...{ [K in keyof Needs]: Needs[K] | Missing }],
  tests: (...had: Needs) => void,
): void {
  const missing = needs.flatMap((each) => ("missing" in each ? each.missing : []));
  if (missing.length > 0) describe.skip(`${title} (cannot be had here: ${missing.join("; ")})`, () => undefined);
  else describe(title, () => tests(...(needs as unknown as Needs)));
}
