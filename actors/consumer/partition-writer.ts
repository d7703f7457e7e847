/**
 * The writer of one partition of the log, whose verdicts do not wait for the read model: decide in memory → tell the verdict → project in the background →
 * commit behind what is projected.
 *
 * A crash anywhere is answered by a new writer: it begins at the committed position, adopts the verdicts that were told from there on, and decides only
 * what has none. A writer that does not know that it was replaced decides the same from the same log; where it meets what another one has written, it stops.
 */
import { decide, factOf, namedIds } from "../resources/decide.ts";
import type { Document, Head } from "../resources/document.ts";
import { applied, type Fact } from "../resources/fact.ts";
import { headAfter, isPersonal, personalDocument } from "../resources/head.ts";
import type { Registry } from "../resources/registry.ts";
import { headOrFirst, SpaceMemory, SupersededError } from "./space-memory.ts";
import type { FactStore, LogPlace, Reading, SpaceDelivery, Verdict, VerdictTopic } from "./write-ports.ts";

export type WriterPorts = {
  readonly store: FactStore;
  readonly topic: VerdictTopic;
  readonly place: LogPlace;
  readonly registry: Registry;
};

/** Facts that are told and not projected, at most: a read model that is away costs lag, and beyond this it holds the log up. */
export const unprojectedMax = 10_000;
/** A decision's own record, as JSON; a larger one is refused. */
export const factBytesMax = 4 * 2 ** 20;
const projectedAtOnceMax = 1_000;

/** What a fact makes of the read model. */
type Step = {
  readonly position: number;
  readonly fact?: Fact;
  readonly documents: readonly Document[];
  readonly head?: Head;
};

/** A command on which the code cannot decide; nothing of its batch was told. */
export class UndecidableError extends Error {
  override readonly name = "UndecidableError";
  readonly delivery: SpaceDelivery;
  constructor(delivery: SpaceDelivery, cause: unknown) {
    super(`Cannot decide on operation ${delivery.command.operationId} at position ${delivery.position}`, { cause });
    this.delivery = delivery;
  }
}

export class PartitionWriter {
  readonly #ports: WriterPorts;
  readonly #memory = new SpaceMemory();
  readonly #adopted: Map<number, Verdict>;
  #steps: Step[] = [];
  /** The position after the last one that has its verdict. */
  #next: number;
  /** Positions below it may have been decided by a writer before. */
  readonly #seenBelow: number;

  private constructor(ports: WriterPorts, begin: { from: number; end: number; told: readonly Verdict[] }) {
    const { from, end, told } = begin;
    this.#ports = ports;
    this.#next = from;
    this.#seenBelow = end;
    this.#adopted = new Map(told.toReversed().map((verdict) => [verdict.position, verdict]));
  }

  /** Reads the tail of the told verdicts to its end before anything is decided: newer code must not decide anew what older code has told. */
  static async takeOver(ports: WriterPorts): Promise<PartitionWriter> {
    const { place, topic } = ports;
    const from = await place.committed();
    const end = await place.end();
    return new PartitionWriter(ports, { from, end, told: await topic.tail(from) });
  }

  /** Where the log is to be read from. */
  get next(): number {
    return this.#next;
  }

  get hasRoom(): boolean {
    return this.#steps.length < unprojectedMax;
  }

  /**
   * The verdicts of commands in log order, from `next` on, told before they are answered. After a failure this writer is of no more use: a new one takes over.
   */
  async take(deliveries: readonly SpaceDelivery[]): Promise<Verdict[]> {
    await this.#read(this.#wanted(deliveries));
    const verdicts: Verdict[] = [];
    const untold: Verdict[] = [];
    const steps: Step[] = [];
    for (const delivery of deliveries) {
      const { verdict, step, isTold } = await this.#settle(delivery);
      verdicts.push(verdict);
      if (!isTold) untold.push(verdict);
      steps.push(step);
    }
    if (untold.length > 0) await this.#ports.topic.append(untold);
    this.#steps.push(...steps);
    this.#next = (deliveries.at(-1)?.position ?? this.#next - 1) + 1;
    this.#memory.trim();
    return verdicts;
  }

  /** Projects what is told, in order and in one batch, and commits behind it. Returns whether there was anything. */
  async project(): Promise<boolean> {
    const steps = this.#steps.slice(0, projectedAtOnceMax);
    if (steps.length === 0) return false;
    const { store, topic, place } = this.#ports;
    refuseNotFirst(steps, await topic.first(steps[0]?.position ?? 0, steps.at(-1)?.position ?? 0));
    const facts = steps.flatMap(({ fact }) => fact ?? []);
    const documents = new Map(
      steps.flatMap((step) => step.documents.map((each) => [`${each.spaceId} ${each.id}`, each])),
    );
    const heads = new Map(steps.flatMap(({ head }) => (head === undefined ? [] : [[head.spaceId, head]])));
    refuseOthers(facts, await store.record(facts));
    await store.project([...documents.values()], [...heads.values()]);
    this.#memory.projected(facts, [...documents.values()], [...heads.values()]);
    this.#steps = this.#steps.slice(steps.length);
    await place.commit(this.#steps[0]?.position ?? this.#next);
    return true;
  }

  /** What these commands name, as far as it is not at hand. */
  #wanted(deliveries: readonly SpaceDelivery[]): Reading {
    const { registry } = this.#ports;
    const idsOf = ({ position, command }: SpaceDelivery): string[] => {
      const told = this.#adopted.get(position);
      return told?.kind === "decided" ? told.fact.changes.map(({ id }) => id) : namedIds(registry, command);
    };
    return {
      heads: [...new Set(deliveries.map(({ command }) => command.spaceId))],
      documents: deliveries.flatMap((delivery) =>
        idsOf(delivery).map((id) => ({ spaceId: delivery.command.spaceId, id })),
      ),
      // Only a command that was sent once, and that no writer before can have seen, is known to be new without a look.
      operations: deliveries
        .filter(({ command, isResent, position }) => command.keyed || isResent || position < this.#seenBelow)
        .map(({ command: { spaceId, operationId } }) => ({ spaceId, operationId })),
      seqs: [],
    };
  }

  async #read(reading: Reading): Promise<void> {
    const unknown = this.#memory.unknown(reading);
    const { heads, documents, operations, seqs } = unknown;
    if (heads.length + documents.length + operations.length + seqs.length === 0) return;
    this.#memory.add(unknown, await this.#ports.store.read(unknown));
  }

  /** The verdict of one command, and what is to be projected for it. */
  async #settle(delivery: SpaceDelivery): Promise<{ verdict: Verdict; step: Step; isTold: boolean }> {
    const { position, command } = delivery;
    const { spaceId, operationId } = command;
    const told = this.#adopted.get(position);
    if (told !== undefined)
      return {
        verdict: told,
        step: told.kind === "decided" ? await this.#adopt(told.fact) : { position, documents: [] },
        isTold: true,
      };
    if ((this.#memory.headOf(spaceId)?.position ?? -1) >= position)
      await this.#read({ heads: [], documents: [], operations: [{ spaceId, operationId }], seqs: [] });
    const known = this.#memory.operation(spaceId, operationId) ?? undefined;
    const common = { position, operationId, spaceId };
    if (known !== undefined && known.position > position)
      throw new SupersededError(`Operation ${operationId} of space ${spaceId} is recorded at a later position`);
    if (known !== undefined && known.position < position) {
      const isSame = known.fingerprint === command.fingerprint;
      return {
        verdict: { ...common, kind: "repeated", first: known, isSame },
        step: { position, documents: [] },
        isTold: false,
      };
    }
    if (known !== undefined) {
      const step = await this.#adopt(known);
      return { verdict: { ...common, kind: "decided", fact: known, documents: step.documents }, step, isTold: false };
    }
    if ((this.#memory.headOf(spaceId)?.position ?? -1) >= position)
      return { verdict: { ...common, kind: "expired" }, step: { position, documents: [] }, isTold: false };
    const step = await this.#decide(delivery);
    const { fact } = step;
    const documents = fact.verdict === "unchanged" ? this.#answered(fact) : step.documents;
    return { verdict: { ...common, kind: "decided", fact, documents }, step, isTold: false };
  }

  /** What an operation that changed nothing is answered with: its decision has read all of it. */
  #answered({ spaceId, actorId, answers }: Fact): Document[] {
    return [...new Set(answers)].flatMap((id) => {
      const born = isPersonal(spaceId, actorId) ? personalDocument(spaceId, id) : undefined;
      return this.#memory.document({ spaceId, id }) ?? born ?? [];
    });
  }

  #decision(delivery: SpaceDelivery) {
    const { spaceId, userId } = delivery.command;
    try {
      return decide(this.#ports.registry, this.#memory.view(spaceId, userId), delivery.command);
    } catch (thrown) {
      throw thrown instanceof SupersededError ? thrown : new UndecidableError(delivery, thrown);
    }
  }

  async #decide(delivery: SpaceDelivery): Promise<Step & { fact: Fact }> {
    const { position, command } = delivery;
    const { spaceId } = command;
    for (;;) {
      const before = headOrFirst(this.#memory, command);
      const decision = this.#decision(delivery);
      if (decision.verdict === "needs") {
        const { documents, facts, operations } = decision.needs;
        await this.#read({
          heads: [],
          documents: [...documents].map((id) => ({ spaceId, id })),
          operations: [...operations].map((operationId) => ({ spaceId, operationId })),
          seqs: [...facts].map((seq) => ({ spaceId, seq })),
        });
        continue;
      }
      let fact = factOf(command, position, before, decision);
      if (
        fact.changes.length > 0 &&
        JSON.stringify(fact).length > factBytesMax / 4 &&
        Buffer.byteLength(JSON.stringify(fact)) > factBytesMax
      )
        fact = factOf(command, position, before, {
          verdict: "rejected",
          refusal: { code: "limit-reached", change: 0 },
        });
      const documents = decision.verdict === "applied" && fact.verdict === "applied" ? decision.documents : [];
      // A refusal moves the position of a head that there is, so that it is not decided otherwise once its record has gone.
      const isHeadless = this.#memory.headOf(spaceId) === null && fact.seq === undefined;
      const head = isHeadless ? undefined : headAfter(before, fact);
      this.#memory.decided(fact, documents, head);
      return { position, fact, documents, ...(head === undefined ? {} : { head }) };
    }
  }

  /** Takes a fact as it is told or kept, and projects it (again): that it is known does not mean that its documents were written. */
  async #adopt(fact: Fact): Promise<Step> {
    const { spaceId, position, seq, changes, actorId } = fact;
    await this.#read({ heads: [], documents: changes.map(({ id }) => ({ spaceId, id })), operations: [], seqs: [] });
    const before = headOrFirst(this.#memory, { spaceId, userId: actorId });
    const born = (id: string) => (isPersonal(spaceId, actorId) ? personalDocument(spaceId, id) : undefined);
    const documents = new Map<string, Document>();
    for (const change of changes) {
      const known = documents.get(change.id) ?? this.#memory.document({ spaceId, id: change.id }) ?? born(change.id);
      const type = this.#ports.registry.get(change.type);
      // What is there already is as far or further: the store has it, or an earlier step brings it.
      if (seq === undefined || type === undefined || (known !== undefined && known.version >= change.version)) continue;
      documents.set(change.id, applied(type, known, change, { ...fact, seq }));
    }
    const isHeadless = this.#memory.headOf(spaceId) === null && seq === undefined;
    const head = isHeadless ? undefined : before.position >= position ? before : headAfter(before, fact);
    this.#memory.decided(fact, [...documents.values()], head);
    return { position, fact, documents: [...documents.values()], ...(head === undefined ? {} : { head }) };
  }
}

/**
 * Only what was told first may be projected: an older code that was replaced, and does not know it yet, may have decided otherwise and told it too late.
 */
function refuseNotFirst(steps: readonly Step[], told: readonly Verdict[]): void {
  const first = new Map(told.map((verdict) => [verdict.position, verdict]));
  for (const { position, fact } of steps) {
    const verdict = first.get(position);
    const other = verdict?.kind === "decided" ? verdict.fact : undefined;
    if (verdict === undefined || other?.verdict !== fact?.verdict || other?.seq !== fact?.seq)
      throw new SupersededError(`Another writer has told first what became of position ${position}`);
  }
}

/** A fact that stands where another one of ours was to stand is of a writer that has gone on from here. */
function refuseOthers(own: readonly Fact[], known: readonly Fact[]): void {
  for (const fact of known) {
    const ours = own.find(({ spaceId, operationId }) => spaceId === fact.spaceId && operationId === fact.operationId);
    if (ours?.position !== fact.position || ours.seq !== fact.seq || ours.verdict !== fact.verdict)
      throw new SupersededError(`Another writer has recorded operation ${fact.operationId} of space ${fact.spaceId}`);
  }
}
