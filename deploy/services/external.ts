/** Services that somebody else runs, given by their variables: used as they are, and only asked whether they answer. */
import { accepts, answers } from "./protocol-probe.ts";
import { isKafkaTls, type ServiceName } from "./settings.ts";

const usualPort = { postgres: 5432, mongo: 27017, redis: 6379, kafka: 9092 };
const lookDeadlineMs = 3_000;

/** Each server that a URL (or a list of brokers) names. */
function serversIn(name: ServiceName, url: string): { host: string; port: number }[] {
  const list = /^(?:[a-z+]+:\/\/)?(?:[^@/]*@)?([^/?]+)/i.exec(url)?.[1] ?? "";
  return list.split(",").flatMap((each) => {
    const at = URL.parse(`tcp://${each.trim()}`);
    if (at === null) return [];
    return [{ host: at.hostname.replace(/^\[|\]$/g, ""), port: Number(at.port) || usualPort[name] }];
  });
}

/**
 * Whether one of the servers answers. Behind TLS the port must only accept: what is said there is for the one who holds the certificates.
 * Names of `mongodb+srv` are found by the driver, and are taken unasked.
 */
export async function doesAnswer(name: ServiceName, url: string): Promise<boolean> {
  if (url.startsWith("mongodb+srv:")) return true;
  const isTls = /^rediss:|[?&](tls|ssl)=true/.test(url) || (name === "kafka" && isKafkaTls);
  const looks = serversIn(name, url).map(({ host, port }) =>
    isTls ? accepts(host, port, lookDeadlineMs) : answers(name, host, port, lookDeadlineMs),
  );
  return (await Promise.all(looks)).includes(true);
}
