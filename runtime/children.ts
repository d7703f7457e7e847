/** Children that start, end and are listed at run time, under a supervisor that keeps places for them: OTP's start_child, terminate_child and which_children. */

import type { Actor, Protocol } from "./actor.ts";
import { type Place, type Places, runnerChildOf } from "./places.ts";
import { whichChildren } from "./supervisor.ts";
import type { CallError, Exit } from "./supervisor-messages.ts";
import type { SupervisorRunner } from "./supervisor-runner.ts";
import { type ChildSpec, faultsOfChild } from "./tree.ts";

/** Why a child could not be started or ended: OTP's words, or that its start failed (see `cause`), or that no place is left. */
export type ChildErrorCode = CallError | "start_failed" | "children_max";

export class ChildError extends Error {
  override readonly name = "ChildError";
  readonly code: ChildErrorCode;
  constructor(code: ChildErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A child of a supervisor, as OTP's which_children gives it. */
export type ChildView = {
  readonly id: string;
  readonly type: "worker" | "supervisor";
  readonly state: "down" | "waiting" | "starting" | "up" | "stopping";
};

/** What a system, or its simulation, can do with children at run time. */
export type Children = {
  /**
   * Starts a child under a running supervisor with `childrenMax`; resolves when it is ready. Rejects with a `ChildError`: its start failed, its name is
   * taken, no place is left, the supervisor does not run.
   */
  startChild(supervisor: string, child: ChildSpec): Promise<void>;
  /** Ends a child that was started at run time, as its supervisor's stop would, and forgets it; resolves when it is down. Rejects with a `ChildError`. */
  stopChild<P extends Protocol>(supervisor: string, actor: Actor<P>): Promise<void>;
  /** The children of a supervisor as they are, from left to right. */
  children(supervisor: string): readonly ChildView[];
};

export type ChildrenOptions<ChildHandle> = {
  readonly places: Places;
  readonly root: () => SupervisorRunner<ChildHandle>;
  /** Makes the handle of a new place, and makes the place known to all threads. */
  readonly take: (place: Place) => ChildHandle;
};

export function childrenAtRunTime<ChildHandle>(options: ChildrenOptions<ChildHandle>): Children {
  const { places } = options;
  const runnerOf = (supervisor: string, act: string): SupervisorRunner<ChildHandle> => {
    const runner = options.root().find(supervisor);
    if (runner === undefined)
      throw new ChildError("not_running", `Cannot ${act}: no supervisor named ${supervisor} runs`);
    return runner;
  };
  return {
    startChild: async (supervisor, child) => {
      const { name } = child.actor;
      const act = `start ${name} under ${supervisor}`;
      const faults = faultsOfChild(child);
      if (child.instances > 1) faults.push(`instances of ${name} must be 1 for a child that starts at run time`);
      if (child.members.length > 0) faults.push(`${name} is a group, which starts with its tree`);
      if (faults.length > 0) throw new ChildError("invalid_spec", `Cannot ${act}: ${faults.join("; ")}`);
      const runner = runnerOf(supervisor, act);
      if (places.has(name))
        throw new ChildError("already_started", `Cannot ${act}: the tree has an actor of this name`);
      const place = places.add(supervisor, child);
      if (place === undefined) {
        const { childrenMax = 0 } = runner.spec;
        throw new ChildError(
          "children_max",
          childrenMax === 0
            ? `Cannot ${act}: it keeps no place for children at run time; declare childrenMax in its supervise()`
            : `Cannot ${act}: it has ${childrenMax} children at run time already (childrenMax); stop one, or declare more`,
        );
      }
      const result = await runner.startChild(runnerChildOf(place, options.take(place)));
      if (!result.ok) throw childError(act, result.error);
    },
    stopChild: async (supervisor, { name }) => {
      const act = `stop ${name} under ${supervisor}`;
      const result = await runnerOf(supervisor, act).stopChild(name);
      if (!result.ok) throw childError(act, result.error);
    },
    children: (supervisor) =>
      whichChildren(runnerOf(supervisor, `list the children of ${supervisor}`).state).map(({ id, type, is }) => ({
        id,
        type,
        state: is,
      })),
  };
}

function childError(act: string, error: CallError | Exit): ChildError {
  if (typeof error === "string") return new ChildError(error, `Cannot ${act}: ${error.replaceAll("_", " ")}`);
  const cause = error.cause ?? new Error(error.message ?? error.why);
  return new ChildError("start_failed", `Cannot ${act}: ${error.message ?? error.why}`, { cause });
}
