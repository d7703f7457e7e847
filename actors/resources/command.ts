/** What the log carries: one request as one command, whatever number of resources it is about. */
import type { Json } from "./field.ts";

export const intentKinds = ["create", "patch", "replace", "delete", "restore", "undo", "accept"] as const;
export type IntentKind = (typeof intentKinds)[number];

/** What is asked of one resource. */
export type Intent = {
  readonly type: string;
  readonly id: string;
  readonly kind: IntentKind;
  /** From If-Match: the versions accepted, or "*" for any. */
  readonly expected?: readonly number[] | "*";
  /** create: the refusal where the space has the id; `conflict` unless told. PUT with If-None-Match says `version-mismatch`. */
  readonly onTaken?: "version-mismatch" | "conflict";
  /**
   * In kept form (instants in UTC, texts of sets normalised): all client fields for create and replace where given, the named ones for a patch, none for others.
   * Beside fields it holds what a type's rules read: `position` of a task, `createdAt` and `completedAt` of an import, `memberId` and `tokenHash` of `accept`.
   */
  readonly body: Readonly<Record<string, Json>>;
};

type Common = {
  /** UUIDv5(user, space, Idempotency-Key), or a fresh UUIDv7. */
  readonly operationId: string;
  /** An Idempotency-Key was given: its fact is kept for ever, refusals too. */
  readonly keyed: boolean;
  readonly spaceId: string;
  readonly userId: string;
  /** SHA-256 (base64url) of method, canonical path and JSON value; "" where there is no key. */
  readonly fingerprint: string;
  /** The edge's clock. Decisions use it, or the space's latest instant where that is later. */
  readonly at: string;
  readonly traceparent?: string;
};

export type Command = Common &
  (
    | {
        readonly kind: "change";
        readonly intents: readonly Intent[];
        /** `createdAt` and `completedAt` of the past are taken. */
        readonly isImport?: true;
        /** It was asked for as a batch, of however many changes: what refuses it tells of which. */
        readonly isBatch?: true;
      }
    /** Takes back the whole operation `undoes`. */
    | { readonly kind: "undo"; readonly undoes: string }
    /** Ends the membership of a user whose account is erased. */
    | { readonly kind: "leave" }
  );

/** What it is called in traces and logs. */
export function commandName(command: Command): string {
  if (command.kind !== "change") return command.kind;
  const [intent, second] = command.intents;
  return intent === undefined || second !== undefined ? "batch" : intent.kind;
}
