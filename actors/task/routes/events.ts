/** `GET /v1/events`: what happens, as it happens (section 3.7 of the contract). */
import { Type as t } from "@sinclair/typebox";
import type { Route } from "../../http/route.ts";
import { text } from "../../http/text.ts";
import { uuidPattern } from "../../http/validate.ts";
import type { Fault } from "../../model/problem.ts";
import { Problem } from "../../model/problem.ts";
import { type Followed, followedMax } from "../feed-source.ts";
import { callerOf } from "../request.ts";
import type { Streams } from "../streams.ts";

const spaceForm = /^([0-9a-f-]{36}|me)(?::(0|[1-9]\d{0,14}))?$/;

const uuidText = uuidPattern.source.slice(1, -1);
const publishedForm = `^(${uuidText}|me)(:(0|[1-9]\\d{0,14}))?$`;
const EventStream = t.String({
  examples: [
    'event: hello\ndata: {"spaceId":"0197a3b8-0f4d-7e19-b6a2-1c8d7e6f5a4b","seq":17,"epoch":"3f6c2d1e"}\n\n: \n\nevent: bye\ndata: {}\n\n',
  ],
});

export function eventsRoute(streams: Pick<Streams, "open">): Route {
  return {
    method: "GET",
    path: "/v1/events",
    id: "followEvents",
    summary: "What happens in spaces, as server-sent events",
    description:
      "Events: `hello` (for each space, before its facts), `fact` (its id is `<space>:<seq>`), `joined`, `left`, `resync`, `bye`. A client keeps the last seq of each space and names them when it comes back.",
    tag: "Feed",
    auth: "user",
    query: {
      space: {
        schema: {
          ...text({
            maxLength: 60,
            fault: (value) => (parse(value) === undefined ? "must be <space id> or <space id>:<seq>" : undefined),
          }),
          pattern: publishedForm,
          description: "A space to follow, from behind a seq on or from now; none: all of the caller's",
        },
        repeatable: true,
      },
    },
    faults: ({ query }): Fault[] =>
      query.getAll("space").length > followedMax
        ? [{ path: "/space", message: `must be given at most ${followedMax} times` }]
        : [],
    headers: ["Last-Event-ID"],
    answers: { 200: { description: "The stream", schema: EventStream, type: "text/event-stream" } },
    problems: ["malformed-header", "validation", "rate-limited", "read-model-unavailable"],
    cacheControl: "private, no-cache",
    async handle(call) {
      const caller = callerOf(call);
      const last = call.request.headers.get("last-event-id");
      const resumed = last === null ? undefined : parse(last);
      if (last !== null && resumed?.after === undefined)
        throw new Problem("malformed-header", "Last-Event-ID must be the id of an event of this stream.");
      const asked = call.query.getAll("space").flatMap((each) => parse(each) ?? []);
      const followed = merged([...asked, ...(resumed === undefined ? [] : [resumed])], caller.userId);
      const headers = { "content-type": "text/event-stream", "x-accel-buffering": "no" };
      if (call.request.method === "HEAD") return { status: 200, headers };
      const { credential = { hash: "", expMs: Number.POSITIVE_INFINITY } } = caller;
      const stream = await streams.open({
        userId: caller.userId,
        credential: credential.hash,
        expMs: credential.expMs,
        followed,
      });
      return { status: 200, stream, headers };
    },
  };
}

function parse(value: string): Followed | undefined {
  const [, spaceId, seq] = spaceForm.exec(value) ?? [];
  if (spaceId === undefined || !(spaceId === "me" || uuidPattern.test(spaceId))) return undefined;
  return { spaceId, ...(seq === undefined ? {} : { after: Number(seq) }) };
}

/** Of a space that is named twice the later place counts: it was reached. */
function merged(all: readonly Followed[], userId: string): Followed[] {
  const bySpace = new Map<string, Followed>();
  for (const each of all) {
    const spaceId = each.spaceId === "me" ? userId : each.spaceId;
    const known = bySpace.get(spaceId);
    const after = Math.max(known?.after ?? -1, each.after ?? -1);
    bySpace.set(spaceId, { spaceId, ...(after < 0 ? {} : { after }) });
  }
  return [...bySpace.values()];
}
