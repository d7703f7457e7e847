/** Follows spaces over cuts, restarts and new tokens: every fact once, in the order of its space. */
import { ConnectionError, ProblemError } from "./problem.ts";
import { type ServerSentEvent, serverSentEvents } from "./server-sent-events.ts";
import { pause, type Transport } from "./transport.ts";
import type { Fact, FactPage } from "./types.ts";

export type FollowOptions = {
  /**
   * The spaces, each with the last `seq` that is known of it, or `undefined`: from now on. Without any, all of the caller's
   * spaces are followed, those joined later included.
   */
  readonly spaces?: Readonly<Record<string, number | undefined>>;
  /** Ends it. */
  readonly signal?: AbortSignal;
};

export type FollowEvent =
  /** The space is followed from here on; `seq` is its latest. */
  | { readonly type: "hello"; readonly spaceId: string; readonly seq: number; readonly epoch: string }
  | { readonly type: "fact"; readonly spaceId: string; readonly fact: Fact }
  | { readonly type: "joined" | "left"; readonly spaceId: string }
  /** The server's facts are others than those known (a backup was restored): read a snapshot; it goes on behind `seq`. */
  | { readonly type: "resync"; readonly spaceId: string; readonly seq: number; readonly epoch: string };

/** Twice the server's own sign of life, and some more. */
const silentMs = 40_000;
const backOffMaxMs = 10_000;

type Place = { seq: number; epoch: string };

export async function* follow(
  transport: Transport,
  { spaces: wanted, signal }: FollowOptions,
): AsyncGenerator<FollowEvent> {
  const places = new Map<string, Place>();
  /** Those that are named, until they are left; undefined where all are followed. */
  const named = wanted && new Map(Object.entries(wanted));
  for (const [id, seq] of Object.entries(wanted ?? {})) if (seq !== undefined) places.set(id, { seq, epoch: "" });
  let failures = 0;
  const isEnded = () => signal?.aborted === true;
  while (!isEnded() && named?.size !== 0) {
    let waitMs = 0;
    const stop = new AbortController();
    const watch = watchdog(stop);
    const stopped = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    try {
      const query = [...(named?.keys() ?? [])].map((id) => `space=${placeOf(id, places.get(id))}`).join("&");
      const path = `/v1/events${query === "" ? "" : `?${query}`}`;
      const { body } = await transport.request({
        method: "GET",
        path,
        isSigned: true,
        isRepeatable: true,
        signal: stopped,
      });
      if (body === null) throw new ConnectionError("The stream has no body");
      for await (const event of serverSentEvents(body, watch.alive)) {
        failures = 0;
        if (event.retryMs !== undefined) waitMs = event.retryMs;
        if (event.event === "bye") break;
        yield* told(event);
        if (named?.size === 0) break;
      }
    } catch (failure) {
      if (isEnded()) return;
      if (failure instanceof ProblemError && failure.status < 500 && failure.status !== 429) throw failure;
      failures += 1;
    } finally {
      watch.end();
      stop.abort();
    }
    const backOffMs = Math.min(100 * 2 ** failures, backOffMaxMs) * (0.5 + Math.random() / 2);
    await pause(Math.max(waitMs, failures === 0 ? 0 : backOffMs), signal).catch(() => undefined);
  }

  async function* told({ event, data }: ServerSentEvent): AsyncGenerator<FollowEvent> {
    if (event === "") return;
    const message = JSON.parse(data) as Fact & Place & { partial?: true };
    const { spaceId, seq, epoch } = message;
    const place = places.get(spaceId);
    if (event === "fact") yield* facts(place ?? { seq: seq - 1, epoch: "" }, message);
    else if (event === "joined") yield { type: "joined", spaceId };
    else if (event === "left") {
      places.delete(spaceId);
      named?.delete(spaceId);
      yield { type: "left", spaceId };
    } else if (event === "resync" || (event === "hello" && isOther(place, seq, epoch))) {
      places.set(spaceId, { seq, epoch });
      yield { type: "resync", spaceId, seq, epoch };
      // It is not followed by this stream: the next one is told where to begin.
      if (event === "resync") throw new ConnectionError("The space begins anew");
    } else if (event === "hello") {
      const isNew = place === undefined || place.epoch === "";
      places.set(spaceId, { seq: place?.seq ?? seq, epoch });
      if (isNew) yield { type: "hello", spaceId, seq, epoch };
      // Of all spaces the stream tells from now on: what came before is read.
      if (named === undefined && place !== undefined) yield* missing(spaceId, seq);
    }
  }

  /** The fact, after those between it and the last one, unless it is known. */
  async function* facts(place: Place, message: Fact & { partial?: true }): AsyncGenerator<FollowEvent> {
    const { spaceId, seq } = message;
    if (seq <= place.seq) return;
    if (seq > place.seq + 1 || message.partial === true) yield* missing(spaceId, seq);
    else {
      places.set(spaceId, { ...place, seq });
      yield { type: "fact", spaceId, fact: message };
    }
  }

  async function* missing(spaceId: string, upTo: number): AsyncGenerator<FollowEvent> {
    for (;;) {
      const place = places.get(spaceId);
      if (place === undefined || place.seq >= upTo) return;
      const path = `/v1/spaces/${spaceId}/facts?after=${place.seq}&limit=500`;
      const response = await transport
        .request({ method: "GET", path, isSigned: true, isRepeatable: true, signal })
        .catch((failure: unknown) => {
          // No member any more: the stream says so next.
          if (failure instanceof ProblemError && failure.status === 404) return undefined;
          throw failure;
        });
      if (response === undefined) return;
      const page = (await response.json()) as FactPage;
      for (const fact of page.items) {
        places.set(spaceId, { ...place, seq: fact.seq });
        yield { type: "fact", spaceId, fact };
      }
      if (page.items.length === 0) return;
    }
  }
}

function isOther(place: Place | undefined, seq: number, epoch: string): boolean {
  if (place === undefined) return false;
  return place.seq > seq || (place.epoch !== "" && place.epoch !== epoch);
}

function placeOf(id: string, place: Place | undefined): string {
  return place === undefined ? id : `${id}:${place.seq}`;
}

/** Ends what has been silent for too long. */
function watchdog(stop: AbortController) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(new ConnectionError("The stream is silent")), silentMs);
  };
  alive();
  return { alive, end: () => clearTimeout(timer) };
}
