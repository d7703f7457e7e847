/**
 * Ends connections that have gone silent, which kafkajs 2.2.4 does not: a request that gets no answer in time fails, and the next one is sent on the
 * same connection, until the system itself notices after a quarter of an hour. What waits on it is sent again on a new one.
 */
import Connection from "kafkajs/src/network/connection.js";

const { send, disconnect } = Connection.prototype;

Connection.prototype.send = async function sendOrEnd(request) {
  try {
    return await send.call(this, request);
  } catch (error) {
    if ((error as Error).name === "KafkaJSRequestTimeoutError") end(this, error as Error);
    throw error;
  }
};

/** By then nothing waits on it: what the other side does not close is closed here. */
Connection.prototype.disconnect = async function disconnectWhole() {
  const { socket } = this;
  const isDone = await disconnect.call(this);
  socket?.destroy();
  return isDone;
};

function end(connection: Connection, error: Error): void {
  connection.connectionStatus = "disconnected";
  connection.authenticatedAt = null;
  connection.rejectRequests(error);
  connection.requestQueue.destroy();
  connection.socket?.destroy();
}
