/** Whether a server answers in its own protocol: one exchange that needs no credentials, so that a port that only accepts does not count. */
import { connect, type Socket } from "node:net";

/** Every program that may run in a set, with the protocol that it speaks. */
export const protocolOf = {
  postgres: "postgres",
  mongo: "mongo",
  redis: "redis",
  /** Kafka that coordinates itself. */
  kraft: "kafka",
  /** Kafka coordinated by ZooKeeper. */
  coordinated: "kafka",
  zookeeper: "zookeeper",
} as const;
export type ProgramName = keyof typeof protocolOf;

type Talk = {
  readonly hello: Buffer;
  /** True: ready. False: it answers, but does not serve yet. Undefined: the answer is not whole. */
  judge(received: Buffer): boolean | undefined;
};

const int32 = (value: number, write: "writeInt32BE" | "writeInt32LE" = "writeInt32BE"): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes[write](value);
  return bytes;
};

/** Start-up message of protocol 3.0. 'R' asks for a password or lets in; 'E' refuses, and 57P03 says "not yet". */
function postgres(): Talk {
  const body = Buffer.concat([int32(196_608), Buffer.from("user\0postgres\0database\0postgres\0\0")]);
  return {
    hello: Buffer.concat([int32(body.length + 4), body]),
    judge: (received) => {
      if (received.length < 5 || received.length < 1 + received.readInt32BE(1)) return undefined;
      return received[0] === 0x52 || (received[0] === 0x45 && !received.includes("C57P03"));
    },
  };
}

/** An error is an answer too (no password was sent), save that of a server that still loads its data. */
function redis(): Talk {
  return {
    hello: Buffer.from("PING\r\n"),
    judge: (received) => (received.includes("\r\n") ? /^(\+PONG|-(?!LOADING))/.test(received.toString()) : undefined),
  };
}

/** ApiVersions, version 0. */
function kafka(): Talk {
  const correlation = 7;
  const body = Buffer.concat([Buffer.from([0, 18, 0, 0]), int32(correlation), Buffer.from([0xff, 0xff])]);
  return {
    hello: Buffer.concat([int32(body.length), body]),
    judge: (received) => (received.length < 8 ? undefined : received.readInt32BE(4) === correlation),
  };
}

/** OP_MSG with `{ hello: 1, $db: "admin" }`. A member that cannot be written to answers, but does not serve yet. */
function mongo(): Talk {
  const fields = Buffer.concat([
    Buffer.from("\x10hello\0"),
    int32(1, "writeInt32LE"),
    Buffer.from("\x02$db\0"),
    int32(6, "writeInt32LE"),
    Buffer.from("admin\0\0"),
  ]);
  const message = Buffer.concat([Buffer.from([0, 0, 0, 0, 0]), int32(fields.length + 4, "writeInt32LE"), fields]);
  const header = [message.length + 16, 1, 0, 2013].map((value) => int32(value, "writeInt32LE"));
  return {
    hello: Buffer.concat([...header, message]),
    judge: (received) => {
      if (received.length < 4 || received.length < received.readInt32LE(0)) return undefined;
      return received.includes(Buffer.from("\x08isWritablePrimary\0\x01"));
    },
  };
}

/** The one four-letter word that is allowed by default. */
function zookeeper(): Talk {
  return {
    hello: Buffer.from("srvr"),
    judge: (received) => (received.length < 9 ? undefined : received.toString().startsWith("Zookeeper")),
  };
}

const talks = { postgres, redis, kafka, mongo, zookeeper };
export type Protocol = keyof typeof talks;

/** Asks once. Any refusal, silence until the deadline and "not yet" are false. */
export function answers(protocol: Protocol, host: string, port: number, deadlineMs: number): Promise<boolean> {
  const { hello, judge } = talks[protocol]();
  return probed({ host, port, deadlineMs }, (socket, finish) => {
    let received = Buffer.alloc(0);
    socket.on("connect", () => socket.write(hello));
    socket.on("data", (part: Buffer) => {
      received = Buffer.concat([received, part]);
      const judged = received.length > 65_536 ? false : judge(received);
      if (judged !== undefined) finish(judged);
    });
    socket.on("close", () => finish(false));
  });
}

/** Whether anything accepts a connection there: all that can be asked of a server behind TLS. */
export function accepts(host: string, port: number, deadlineMs: number): Promise<boolean> {
  return probed({ host, port, deadlineMs }, (socket, finish) => socket.on("connect", () => finish(true)));
}

/** What `listen` finishes with; false at the deadline, or where there is no connection. */
function probed(
  { host, port, deadlineMs }: { host: string; port: number; deadlineMs: number },
  listen: (socket: Socket, finish: (is: boolean) => void) => void,
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (is: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(is);
    };
    const timer = setTimeout(() => finish(false), deadlineMs);
    listen(socket, finish);
    socket.on("error", () => finish(false));
  });
}
