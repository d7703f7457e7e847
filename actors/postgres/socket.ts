/** Opens the line under a PostgreSQL session: TCP, and TLS where the place asks for it. */
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, rootCertificates } from "node:tls";
import { withDeadline } from "../waiting.ts";
import type { Place } from "./url.ts";

/** Section "SSL Session Encryption" of PostgreSQL's protocol: length 8, code 80877103; the answer is one byte, S or N. */
const tlsRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const willingly = "S".charCodeAt(0);

/**
 * An open socket that has seen no byte of PostgreSQL's own yet; rejects when there is none in time. `opened` is told each socket at once, so that
 * whoever gives up can destroy it. An end from the other side is an error on it: the driver would wait for ever after one during its start.
 */
export async function openSocket(place: Place, timeoutMs: number, opened: (socket: Socket) => void): Promise<Socket> {
  const socket = connect({ host: place.host, port: place.port, noDelay: true, keepAlive: true });
  opened(socket);
  const late = () => new Error("Cannot connect: no answer in time");
  const opening = place.tls === "disable" ? once(socket, "connect").then(() => socket) : secured(socket, place, opened);
  try {
    const ready = await withDeadline(opening, timeoutMs, late);
    ready.on("end", () => ready.destroy(new Error("The server has ended the connection")));
    return ready;
  } catch (error) {
    // What it may still say is of no interest.
    socket.on("error", () => {}).destroy();
    throw error;
  }
}

async function secured(socket: Socket, place: Place, opened: (socket: Socket) => void): Promise<Socket> {
  const { host, ca } = place;
  await once(socket, "connect");
  socket.write(tlsRequest);
  const closed = new AbortController();
  socket.once("close", () => closed.abort());
  const [answer] = (await once(socket, "data", { signal: closed.signal })) as [Buffer];
  // Anything behind the byte would have been put there by somebody in between.
  if (answer.length !== 1 || answer[0] !== willingly) throw new Error("Cannot connect: the server offers no TLS");
  const session = connectTls({
    socket,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    rejectUnauthorized: place.tls === "verify-full",
    checkServerIdentity: (_, certificate) =>
      place.tls === "verify-full" ? checkServerIdentity(host, certificate) : undefined,
  });
  opened(session);
  socket.on("error", (error) => session.destroy(error));
  await once(session, "secureConnect", { signal: closed.signal });
  return session;
}
