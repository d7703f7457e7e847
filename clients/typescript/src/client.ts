/**
 * A typed client of the Task Tracker: each operation of its OpenAPI document is a method, with sessions that are refreshed, retries that are safe,
 * lists as async iterators, problems as errors, and a feed that resumes.
 */
import { type FollowEvent, type FollowOptions, follow } from "./follow.ts";
import { ProblemError } from "./problem.ts";
import { type Options, pause, type Session, type Transport, transport } from "./transport.ts";
import { type Operation, type Operations, operations, type Problem, type Tokens } from "./types.ts";

export type { FollowEvent, FollowOptions } from "./follow.ts";
export { ConnectionError, ProblemError } from "./problem.ts";
export type { Options, Session } from "./transport.ts";
export type * from "./types.ts";

type Id = keyof Operations;
/** Beside what an operation takes. */
type CallOptions = { readonly signal?: AbortSignal };
/** `ifMatch` takes a version as it is. */
type Takes<I extends Id> = Omit<Operations[I]["takes"], "ifMatch"> &
  ("ifMatch" extends keyof Operations[I]["takes"] ? { readonly ifMatch?: number | "*" } : unknown) &
  CallOptions;
type Call<I extends Id> =
  Record<never, never> extends Operations[I]["takes"]
    ? (takes?: Takes<I>) => Promise<Operations[I]["answers"]>
    : (takes: Takes<I>) => Promise<Operations[I]["answers"]>;
/** Operations that answer in pages. */
type ListId = {
  [I in Id]: Operations[I]["answers"] extends { items: unknown[]; nextCursor: string | null } ? I : never;
}[Id];
type Item<I extends ListId> = Operations[I]["answers"] extends { items: (infer T)[] } ? T : never;

export type Client = { readonly [I in Id]: Call<I> } & {
  /** Each item of all pages of a list, e.g. `each("listTasks", { status: ["todo"] })`. */
  each<I extends ListId>(id: I, takes?: Takes<I>): AsyncGenerator<Item<I>>;
  /** What happens in spaces, over cuts, without gap or repeat. */
  follow(options?: FollowOptions): AsyncGenerator<FollowEvent>;
  /** Of the user who is signed in: to keep it, and go on with it later. */
  readonly session: () => Session | undefined;
};

/** A client of the server at this URL; `register` and `login` sign it in. */
export function connect(url: string, options: Options = {}): Client {
  const via = transport(url, options);
  const calls = Object.keys(operations).map((id) => [id, (takes = {}) => call(via, id as Id, takes)]);
  const own = {
    each: (id: ListId, takes: object = {}) => each(via, id, takes),
    follow: (of: FollowOptions = {}) => follow(via, of),
    session: via.session,
  };
  return { ...Object.fromEntries(calls), ...own } as Client;
}

type Asked = Readonly<Record<string, unknown>> & CallOptions;

async function call(via: Transport, id: Id, takes: Asked): Promise<unknown> {
  const operation: { method: string; path: string; signed?: true; keyed?: true; body?: string } = operations[id];
  const { signal, body, ifMatch, ifNoneMatch, idempotencyKey, consistencyToken, ...rest } = takes;
  const isKeyed = operation.keyed === true;
  const headers = {
    "if-match": typeof ifMatch === "number" ? `"${ifMatch}"` : ifMatch,
    "if-none-match": ifNoneMatch,
    "consistency-token": consistencyToken,
    "idempotency-key": isKeyed ? (idempotencyKey ?? crypto.randomUUID()) : undefined,
  };
  const given = Object.entries(headers).filter((each): each is [string, string] => each[1] !== undefined);
  const isSignIn = id === "register" || id === "login" || id === "refresh";
  const response = await via.request({
    method: operation.method,
    path: pathOf(operation.path, rest),
    headers: { ...Object.fromEntries(given), ...(isSignIn ? via.delivery : {}) },
    ...(operation.body === undefined ? {} : { body: JSON.stringify(body ?? {}) }),
    isSigned: operation.signed === true,
    isRepeatable: isKeyed || operation.method === "GET",
    signal,
  });
  if (response.status === 202) {
    const { id: operationId, seq = 0, items = [] } = await settled(via, response, signal);
    return id.startsWith("changeMany") || id.startsWith("undoOperation")
      ? { operationId, seq, items }
      : (items[0] ?? undefined);
  }
  const answer: unknown = response.status === 204 ? undefined : await response.json();
  if (isSignIn) via.begin(answer as Tokens);
  if (id === "logout" || id === "logoutAll" || id === "eraseMe") via.begin(undefined);
  return answer;
}

/** The path with its parameters; all others are the query. */
function pathOf(template: string, rest: Readonly<Record<string, unknown>>): string {
  const used = new Set<string>();
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    used.add(name);
    return encodeURIComponent(String(rest[name]));
  });
  const query = Object.entries(rest).flatMap(([name, value]) =>
    used.has(name) || value === undefined ? [] : [value].flat().map((each): [string, string] => [name, String(each)]),
  );
  return query.length === 0 ? path : `${path}?${new URLSearchParams(query)}`;
}

const pollMs = 200;
const settleAttemptsMax = 150;

/** What became of a change that was recorded and not decided in time. Throws the problem that it met. */
async function settled(via: Transport, response: Response, signal: AbortSignal | undefined): Promise<Operation> {
  const { id } = (await response.json()) as Operation;
  const location = response.headers.get("location") ?? `/v1/operations/${id}`;
  const path = location.slice(Math.max(0, location.indexOf("/v1/")));
  for (let attempt = 0; attempt < settleAttemptsMax; attempt += 1) {
    await pause(pollMs, signal);
    const answer = await via.request({ method: "GET", path, isSigned: true, isRepeatable: true, signal });
    const operation = (await answer.json()) as Operation;
    if (operation.status === "applied") return operation;
    if (operation.status === "rejected") throw refusal(operation);
  }
  throw new ProblemError({ code: "log-unavailable", detail: `The operation ${id} is not decided yet.` }, 202);
}

function refusal({ problem = {} as NonNullable<Operation["problem"]> }: Operation): ProblemError {
  return new ProblemError(problem as Partial<Problem>, problem.status);
}

async function* each<I extends ListId>(via: Transport, id: I, takes: object): AsyncGenerator<Item<I>> {
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const asked = { ...takes, ...(cursor === undefined ? {} : { cursor }) };
    const page = (await call(via, id, asked)) as { items: Item<I>[]; nextCursor: string | null };
    yield* page.items;
    cursor = page.nextCursor;
  }
}
