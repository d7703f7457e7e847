import { type Transferable, Worker } from "node:worker_threads";
import { marked, type ToMain, type ToWorker, type WorkerData } from "./control.ts";
import { addressed, type Posted, postFrame } from "./frame.ts";

export type ThreadEvents = {
  /** A frame of messages for an actor in the main thread: `to` is its slot, 0 for the main thread itself. */
  frame(to: number, frame: Posted): void;
  said(message: ToMain): void;
  /** The thread is over, whether it said goodbye or not; called once. `error` is what the runtime told of the failure, if anything. */
  exited(error: Error | undefined): void;
};

/**
 * The entry of worker threads: an address, or what makes the worker of these options (for bundlers that look for `new Worker(new URL(...))`). All it has
 * to do is to call `serveActors`.
 */
export type WorkerEntry = URL | ((options: { readonly workerData: unknown; readonly name: string }) => Worker);

/** Beside this file, as source or compiled. */
const DEFAULT_ENTRY = import.meta.url.endsWith(".ts")
  ? new URL("./worker-entry.ts", import.meta.url)
  : new URL("./worker-entry.js", import.meta.url);

/** Runs something after so many milliseconds; the returned function cancels it. */
export type After = (ms: number, run: () => void) => () => void;

/** The main thread's hold of one worker thread. */
export class Thread {
  /** Whether a thread that no longer turns its event loop can be ended: on Deno it burns on, though its exit is announced. */
  static readonly endsHung: boolean = !("Deno" in globalThis);

  readonly #worker: Worker;
  /** What is to be sent when it listens. */
  #unsent: ((worker: Worker) => void)[] | undefined = [];
  #exited = false;
  #error: Error | undefined;
  #gone: Promise<void>;

  constructor(data: Omit<WorkerData, "mark">, events: ThreadEvents, entry: WorkerEntry = DEFAULT_ENTRY) {
    const workerData = marked(data);
    // What debuggers, profilers and (on Bun) the operating system call it.
    const name = `${data.name}/${data.index}`;
    this.#worker =
      typeof entry === "function" ? entry({ workerData, name }) : new Worker(loadable(entry), { workerData, name });
    let resolveGone: () => void = () => undefined;
    this.#gone = new Promise((resolve) => {
      resolveGone = resolve;
    });
    this.#worker.on("message", (message: Posted | ToMain) => {
      if (typeof message === "string" || "parts" in message) {
        const { to = 0, frame } = addressed(message);
        events.frame(to, frame);
      } else if (message[0] === "hello") this.#flush();
      else events.said(message);
    });
    this.#worker.on("error", (error: Error) => {
      this.#error = error;
    });
    this.#worker.on("exit", () => {
      if (this.#exited) return;
      this.#exited = true;
      resolveGone();
      events.exited(this.listens ? this.#error : entryFault(entry, this.#error));
    });
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** Whether its entry has called `serveActors`. */
  get listens(): boolean {
    return this.#unsent === undefined;
  }

  /** `to` names the actor of a group. */
  post(frame: Posted, to?: number): void {
    if (this.#exited) return;
    if (this.#unsent === undefined) postFrame(this.#worker, frame, to);
    else this.#unsent.push((worker) => postFrame(worker, frame, to));
  }

  send(message: ToWorker, transfer: Transferable[] = []): void {
    if (this.#exited) return;
    if (this.#unsent === undefined) this.#worker.postMessage(message, transfer);
    else this.#unsent.push((worker) => worker.postMessage(message, transfer));
  }

  #flush(): void {
    const unsent = this.#unsent ?? [];
    this.#unsent = undefined;
    for (const post of unsent) post(this.#worker);
  }

  /** Ends the thread by force. Resolves to whether its end was announced in time. */
  async kill(verifyMs: number, after: After): Promise<boolean> {
    if (this.#exited) return true;
    void this.#worker.terminate();
    return this.#goneWithin(verifyMs, after);
  }

  /** Lets a thread that said goodbye end by itself, which does not hold this thread up as force does; by force when it has not in time. */
  async leave(graceMs: number, verifyMs: number, after: After): Promise<boolean> {
    return (await this.#goneWithin(graceMs, after)) || this.kill(verifyMs, after);
  }

  async #goneWithin(ms: number, after: After): Promise<boolean> {
    let cancel: () => void = () => undefined;
    const late = new Promise<false>((resolve) => {
      cancel = after(ms, () => resolve(false));
    });
    const gone = await Promise.race([this.#gone.then(() => true), late]);
    cancel();
    return gone;
  }
}

/** Deno makes workers of `file:` and `data:` addresses only, and a package of JSR has a `https:` one: then a line of text imports it. */
function loadable(entry: URL): URL {
  if (entry.protocol !== "https:" && entry.protocol !== "http:") return entry;
  return new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(entry.href)};`)}`);
}

/** Why a thread ended before it listened. */
function entryFault(entry: WorkerEntry, cause: Error | undefined): Error {
  const where = entry instanceof URL ? entry.href : "of system({ worker })";
  const hint =
    entry === DEFAULT_ENTRY
      ? "; in a bundle or a compiled program give system({ worker }) an entry of its own that calls serveActors()"
      : "";
  const why = cause === undefined ? "" : `: ${cause.message}`;
  return new Error(
    `Cannot start a worker thread: its entry ${where} ended before it called serveActors()${hint}${why}`,
    {
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
