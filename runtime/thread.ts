import { type Transferable, Worker } from "node:worker_threads";
import type { ToMain, ToWorker, WorkerData } from "./control.ts";

export type ThreadEvents = {
  /** A frame of messages for an actor in the main thread: `to` is its slot, 0 for the main thread itself. */
  frame(to: number, text: string): void;
  said(message: ToMain): void;
  /** The thread is over, whether it said goodbye or not; called once. `error` is what the runtime told of the failure, if anything. */
  exited(error: Error | undefined): void;
};

/** Runs something after so many milliseconds; the returned function cancels it. */
export type After = (ms: number, run: () => void) => () => void;

/** The main thread's hold of one worker thread. */
export class Thread {
  /** Whether a thread that no longer turns its event loop can be ended: on Deno it burns on, though its exit is announced. */
  static readonly endsHung = !("Deno" in globalThis);

  readonly #worker: Worker;
  #exited = false;
  #error: Error | undefined;
  #gone: Promise<void>;

  constructor(data: WorkerData, events: ThreadEvents) {
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData: data });
    let resolveGone: () => void = () => undefined;
    this.#gone = new Promise((resolve) => {
      resolveGone = resolve;
    });
    this.#worker.on("message", (message: string | ToMain) => {
      if (typeof message !== "string") events.said(message);
      else if (message.startsWith("[")) events.frame(0, message);
      else {
        const at = message.indexOf("[");
        events.frame(Number(message.slice(0, at)), message.slice(at));
      }
    });
    this.#worker.on("error", (error: Error) => {
      this.#error = error;
    });
    this.#worker.on("exit", () => {
      if (this.#exited) return;
      this.#exited = true;
      resolveGone();
      events.exited(this.#error);
    });
  }

  get exited(): boolean {
    return this.#exited;
  }

  post(text: string): void {
    if (!this.#exited) this.#worker.postMessage(text);
  }

  send(message: ToWorker, transfer: Transferable[] = []): void {
    if (!this.#exited) this.#worker.postMessage(message, transfer);
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
