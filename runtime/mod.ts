/**
 * Supervised actors on worker threads.
 *
 * An actor is one module: what it accepts and how it behaves. A system starts a tree of them, each in a thread of its own, restarts those that fail,
 * and gives refs to send by.
 *
 * ```ts
 * const app = system({ tree: supervise("one_for_one", { intensity: 5, periodMs: 30_000 }, [child(counter)]) });
 * await app.start();
 * await app.ref(counter).ask("total", null, { timeoutMs: 2_000 });
 * await app.stop();
 * ```
 *
 * @module
 */
export * from "./actor.ts";
export { type BytesSchema, bytes, transfer } from "./bytes.ts";
export { ChildError, type ChildErrorCode, type Children, type ChildView } from "./children.ts";
export { ActorError, isActorError, type RuntimeCode } from "./errors.ts";
export type { FaultKind } from "./fault.ts";
export type { ActorView, TreeView } from "./inspect.ts";
export type { Modules } from "./modules.ts";
export { type Log, type System, type SystemOptions, system } from "./system.ts";
export type { WorkerEntry } from "./thread.ts";
export { type ChildOptions, type ChildSpec, child, group, type Json, type SupervisorSpec, supervise } from "./tree.ts";
