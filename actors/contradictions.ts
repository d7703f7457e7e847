/** Settings that are each as they should be, and still do not go together. */
import type { Values } from "./config.ts";
import { networkFaults } from "./http/ip-address.ts";
import { siteFaults } from "./http/site.ts";
import { postgresUrlFault } from "./postgres/url.ts";

/** What cannot be together, or not alone. */
export function contradictions(values: Values): string[] {
  const has = (name: keyof Values) => values[name] !== "" && values[name] !== "0";
  const role = values.ROLE;
  const faults: string[] = [];
  const ofDatabase = has("DATABASE_URL") ? postgresUrlFault(values.DATABASE_URL) : undefined;
  if (ofDatabase !== undefined) faults.push(`DATABASE_URL ${ofDatabase}`);
  for (const name of ["TT_TRUSTED_PROXIES", "TT_WEBHOOK_ALLOW"] as const)
    for (const entry of networkFaults(values[name]))
      faults.push(
        `${name} must be like 10.0.0.0/8,::1: ${JSON.stringify(entry.slice(0, 60))} is no address or network`,
      );
  faults.push(...siteFaults(values));
  const needs = (what: string, names: readonly (keyof Values)[], why: string) => {
    const missing = names.filter((name) => !has(name));
    if (missing.length > 0) faults.push(`${what} needs ${missing.join(" and ")}${why}`);
  };
  if (role === "task") needs("ROLE=task", ["KAFKA_BROKERS", "MONGO_URL", "AUTH_URL"], "; ROLE=all needs nothing");
  else if (role === "consumer") needs("ROLE=consumer", ["KAFKA_BROKERS", "MONGO_URL"], "; ROLE=all needs nothing");
  else if (role === "all" && has("KAFKA_BROKERS") !== has("MONGO_URL"))
    faults.push("KAFKA_BROKERS and MONGO_URL go together: the log and the read model that is made of it");
  if (role === "all" && has("AUTH_URL")) faults.push("AUTH_URL is for ROLE=task: ROLE=all has an auth of its own");
  for (const name of ["DATABASE", "MONGO", "REDIS"] as const)
    if (has(`${name}_PASSWORD`)) needs(`${name}_PASSWORD`, [`${name}_URL`], "");
  if (has("KAFKA_USERNAME")) needs("KAFKA_USERNAME", ["KAFKA_BROKERS", "KAFKA_PASSWORD"], "");
  for (const name of ["KAFKA_PASSWORD", "KAFKA_SASL"] as const) if (has(name)) needs(name, ["KAFKA_USERNAME"], "");
  if (has("KAFKA_TLS")) needs("KAFKA_TLS", ["KAFKA_BROKERS"], "");
  if (values.PORT === values.ADMIN_PORT && values.PORT !== 0 && role !== "consumer")
    faults.push(`PORT and ADMIN_PORT must differ, not both be ${values.PORT}`);
  return faults;
}
