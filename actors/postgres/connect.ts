/** A connection to PostgreSQL on which every statement settles in time, whatever happens to the server or the network, and which works again by itself. */
import type { Socket } from "node:net";
import postgres from "postgres";
import type { WriteRefusal } from "../health/health.ts";
import { Unhealthy } from "../health/report-health.ts";
import type { Server } from "../servers.ts";
import { settles, withDeadline } from "../waiting.ts";
import { openSocket } from "./socket.ts";
import { placeOf } from "./url.ts";

type Value = string | number | boolean | null;

/** Runs one statement; what stands in `${}` is sent apart from it. Its outcome is unknown when it rejects with anything but a `PostgresError`. */
export type Sql = <Row extends object>(text: TemplateStringsArray, ...values: Value[]) => Promise<Row[]>;

export type Postgres = {
  readonly sql: Sql;
  /** Throws when it does not answer in time. */
  ping(): Promise<void>;
  /** The same, and an `Unhealthy` when it is reached and takes no writes. `harmless`: a write that changes nothing, made only after another was refused. */
  writable(harmless: (sql: Sql) => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
};

export type PostgresOptions = {
  /** A statement rejects after this; the server gives it up a little earlier. 2,000 unless told. */
  timeoutMs?: number;
  connections?: number;
};

const connectMs = 1_500;
/** After a connection could not be made, statements are refused for so long without a try: an outage is not a reason to be busy. */
const refusedMs = 100;
/** What runs on other connections of a client that is given up may still end. */
const graceMs = 300;
const closeMs = 1_000;
const statementsMax = 1_000;

/** SQLSTATEs of a write that was refused for what the server is, or has no more of. */
const refusals: ReadonlyMap<string, WriteRefusal> = new Map([
  ["25006", "read-only"],
  ["53100", "disk full"],
  ["53200", "out of memory"],
]);

/** SQLSTATEs after which another connection may do better: read-only (a former primary), and those of a server that goes or comes. */
const elsewhere = /^(25006|57P|08)/;

/** Nothing is connected until it is used. Throws one clear line when the URL cannot be used. */
export function connectPostgres(server: Server, options: PostgresOptions = {}): Postgres {
  const { timeoutMs = 2_000, connections = 8 } = options;
  const place = placeOf(server);
  let refusedUntilMs = 0;
  let statements = 0;
  let closed = false;
  /** Of the latest write that was refused, until one is taken. */
  let refused: WriteRefusal | undefined;
  const givingUp = new Set<Promise<void>>();

  function open() {
    const sockets = new Set<Socket>();
    const socket = async (): Promise<Socket> => {
      if (given.up) throw new Error("Cannot connect: given up");
      try {
        return await openSocket(place, connectMs, (each) => {
          sockets.add(each.once("close", () => sockets.delete(each)));
        });
      } catch (error) {
        refusedUntilMs = performance.now() + refusedMs;
        throw error;
      }
    };
    const settings = {
      ...{ host: place.host, port: place.port, user: place.user, pass: place.password, database: place.database },
      socket,
      ssl: false,
      max: connections,
      connect_timeout: connectMs / 1_000,
      idle_timeout: 0,
      max_lifetime: null,
      backoff: () => refusedMs / 1_000,
      // The driver would ask for the server's types on each new connection, and nobody would catch that question's failure.
      fetch_types: false,
      types: { epoch: { to: 20, from: [20], serialize: String, parse: Number } },
      onnotice: () => {},
      connection: {
        application_name: "task-tracker",
        statement_timeout: Math.round(timeoutMs * 0.75),
        lock_timeout: Math.round(timeoutMs * 0.5),
        idle_in_transaction_session_timeout: timeoutMs,
      },
    };
    const given = { client: postgres(settings), sockets, up: false };
    return given;
  }
  let current = open();

  /** The driver does not get over every fault of a connection (a slot may stay stuck for ever), so then all of it is made anew. */
  function giveUp(given: typeof current): void {
    if (given.up) return;
    given.up = true;
    if (!closed) current = open();
    const end = given.client.end({ timeout: (closed ? closeMs : graceMs) / 1_000 });
    const ended = settles(end, 2 * closeMs).then(() => {
      for (const socket of given.sockets) socket.destroy();
      givingUp.delete(ended);
    });
    givingUp.add(ended);
  }

  const sql: Sql = async <Row extends object>(text: TemplateStringsArray, ...values: Value[]) => {
    if (closed) throw new Error("Cannot run a statement: closed");
    if (performance.now() < refusedUntilMs) throw new Error("Cannot run a statement: not connected");
    if (statements >= statementsMax) throw new Error(`Cannot run a statement: ${statementsMax} are under way`);
    const mine = current;
    statements += 1;
    try {
      const late = () => new Error(`Cannot run a statement: no answer in ${timeoutMs} ms`);
      return [...(await withDeadline(mine.client<Row[]>(text, ...values), timeoutMs, late))] as Row[];
    } catch (error) {
      if (error instanceof postgres.PostgresError) refused = refusals.get(error.code) ?? refused;
      const isAnswer = error instanceof postgres.PostgresError && error.severity === "ERROR";
      if (!isAnswer || elsewhere.test(error.code)) giveUp(mine);
      throw error;
    } finally {
      statements -= 1;
    }
  };

  return {
    sql,
    ping: async () => void (await sql`SELECT 1`),
    async writable(harmless) {
      const [now] = await sql<{ readOnly: boolean }>`
        SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS "readOnly"`;
      if (now?.readOnly === true) {
        // A session keeps what it was opened with: new ones see it when it is over.
        giveUp(current);
        throw new Unhealthy("read-only");
      }
      if (refused === undefined) return;
      // What a write has shown only a write can take back.
      try {
        await harmless(sql);
        refused = undefined;
      } catch (error) {
        if (!(error instanceof postgres.PostgresError)) throw error;
      }
      if (refused !== undefined) throw new Unhealthy(refused);
    },
    async close() {
      closed = true;
      giveUp(current);
      await Promise.all(givingUp);
    },
  };
}

/** Whether the statement was refused because this constraint's value is taken. */
export function isTaken(error: unknown, constraint: string): boolean {
  return error instanceof postgres.PostgresError && error.code === "23505" && error.constraint_name === constraint;
}
