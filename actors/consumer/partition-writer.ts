/**
 * The writer of one partition of the log, whose verdicts do not wait for the read model: decide in memory → tell the verdict → project in the background →
 * commit behind what is projected.
 *
 * A crash anywhere is answered by a new writer: it begins at the committed position, adopts the verdicts that were told from there on, and decides only
 * what has none. A writer that does not know that it was replaced decides the same from the same log; where it meets what another one has written, it stops.
 */
import { decide, factOf, namedIds } from "../resources/decide.ts";
import type { Document } from "../resources/document.ts";
import { applied, type Fact } from "../resources/fact.ts";
import { headAfter, isPersonal, personalDocument } from "../resources/head.ts";
import type { Registry } from "../resources/registry.ts";
import type { Told, Verdict } from "../resources/verdict.ts";
import { lookedNothing, lookUp } from "./look-up.ts";
import { charsOf, refuseNotFirst, refuseOthers, type Step } from "./projection-step.ts";
import { headOrFirst, type Looked, SpaceMemory, SupersededError } from "./space-memory.ts";
import type { FactStore, LogPlace, Reading, SpaceDelivery, UnreadableDelivery, VerdictTopic } from "./write-ports.ts";

export type WriterPorts = {
  readonly store: FactStore;
  readonly topic: VerdictTopic;
  readonly place: LogPlace;
  readonly registry: Registry;
  /** Without it a command that cannot be decided fails the writer. */
  readonly parking?: Parking;
};

export type Parking = {
  /** Sets the record of a position aside, durably. Repeating it is harmless. */
  park(position: number, reason: string): Promise<void>;
  /** Of a fault that trying again does not mend: the reason, in words that have nothing of the content. */
  reasonOf(fault: unknown): string | undefined;
};

/** Facts that are told and not projected, at most, and what they and their documents have in characters: a read model that is away costs lag, and beyond this it holds the log up. */
const unprojectedMax = 10_000;
const unprojectedCharsMax = 64_000_000;
/** A decision's own record, as JSON; a larger one is refused. */
const factBytesMax = 4 * 2 ** 20;
const projectedAtOnceMax = 1_000;
const resentMax = 10_000;

type Delivery = SpaceDelivery | UnreadableDelivery;

/** A command on which the code cannot decide. Only where there is no parking is it thrown; then nothing of its batch was told. */
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
  readonly #adopted: Map<number, Told>;
  /** Told, and not projected. */
  #steps: Step[] = [];
  #chars = 0;
  /** Decided, and perhaps not told: `told` where it is still to be told. */
  #decided: { readonly step: Step; readonly told?: Told }[] = [];
  /** The position after the last one that is decided. */
  #next: number;
  #committed: number;
  /** Positions below it may have been decided by a writer before. */
  readonly #seenBelow: number;
  /** Operations that were sent again, the oldest first. */
  readonly #resent = new Set<string>();

  private constructor(ports: WriterPorts, begin: { from: number; end: number; told: readonly Told[] }) {
    const { from, end, told } = begin;
    this.#ports = ports;
    this.#next = from;
    this.#committed = from;
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
    return this.#steps.length < unprojectedMax && this.#chars < unprojectedCharsMax;
  }

  /** Everything below it is in the read model, and need not be taken again. */
  get committed(): number {
    return this.#committed;
  }

  /**
   * What became of commands in log order, from `next` on, told before it is answered. Where it fails it may be tried again, with what comes from `next` on
   * (or with nothing): what was decided is kept, and told first. Throws a `SupersededError` when this writer is of no more use.
   */
  async take(deliveries: readonly Delivery[]): Promise<Told[]> {
    await this.#tell();
    const all: Told[] = [];
    try {
      await this.#readAhead(deliveries);
      for (const delivery of deliveries) {
        const { told, step, isTold } = await this.#settle(delivery);
        all.push(told);
        this.#decided.push({ step, ...(isTold ? {} : { told }) });
        this.#next = delivery.position + 1;
      }
    } catch (fault) {
      if (!(fault instanceof UndecidableError)) await this.#tell();
      throw fault;
    }
    await this.#tell();
    this.#memory.trim();
    return all;
  }

  async #tell(): Promise<void> {
    if (this.#decided.length === 0) return;
    const decided = this.#decided;
    const untold = decided.flatMap(({ told }) => told ?? []);
    if (untold.length > 0) await this.#ports.topic.append(untold);
    this.#decided = [];
    for (const { step } of decided) {
      this.#steps.push(step);
      this.#chars += charsOf(step);
    }
  }

  /** Projects what is told, in order and in one batch, and commits behind it. Returns whether there was anything. May be tried again, as `take`. */
  async project(): Promise<boolean> {
    const steps = this.#steps.slice(0, projectedAtOnceMax);
    const { store, topic, place } = this.#ports;
    if (steps.length > 0) {
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
      for (const step of steps) this.#chars -= charsOf(step);
    }
    // What is decided and not told yet is behind all that is told.
    const position = this.#steps[0]?.position ?? this.#decided[0]?.step.position ?? this.#next;
    if (position > this.#committed) {
      await place.commit(position);
      this.#committed = position;
    }
    return steps.length > 0;
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
      operations: deliveries
        .filter((delivery) => !this.#isSurelyNew(delivery))
        .map(({ command: { spaceId, operationId } }) => ({ spaceId, operationId })),
      seqs: [],
    };
  }

  /** Only a command that was sent once, and that no writer before can have seen, is known to be new without a look. */
  #isSurelyNew({ position, command: { keyed, operationId }, isResent }: SpaceDelivery): boolean {
    return !keyed && !isResent && position >= this.#seenBelow && !this.#resent.has(operationId);
  }

  /**
   * A sender that sends again cannot tell whether the first sending arrives at all, or behind the second. And an id made with an operation that is new is in
   * no space yet: what is made under it is decided without a look into the store.
   */
  #noteSendings(deliveries: readonly SpaceDelivery[]): void {
    for (const { command, isResent } of deliveries) if (isResent) this.#resent.add(command.operationId);
    for (const operationId of this.#resent) {
      if (this.#resent.size <= resentMax) break;
      this.#resent.delete(operationId);
    }
    const made = deliveries.filter(
      (delivery) =>
        this.#isSurelyNew(delivery) &&
        delivery.command.kind === "change" &&
        delivery.command.intents.some(({ kind, id }) => kind === "create" && id === delivery.command.operationId),
    );
    this.#memory.addAbsent(made.map(({ command: { spaceId, operationId } }) => ({ spaceId, id: operationId })));
  }

  async #readAhead(deliveries: readonly Delivery[]): Promise<void> {
    const readable = deliveries.filter((each) => "command" in each);
    this.#noteSendings(readable);
    try {
      await this.#read(this.#wanted(readable));
    } catch (fault) {
      // One of these cannot be used: each is read for its own command.
      if (this.#ports.parking?.reasonOf(fault) === undefined) throw fault;
    }
  }

  async #read(reading: Reading): Promise<void> {
    const unknown = this.#memory.unknown(reading);
    const { heads, documents, operations, seqs } = unknown;
    if (heads.length + documents.length + operations.length + seqs.length === 0) return;
    this.#memory.add(unknown, await this.#ports.store.read(unknown));
  }

  /** What became of one position, and what is to be projected for it. Where it fails nothing has changed. */
  async #settle(delivery: Delivery): Promise<{ told: Told; step: Step; isTold: boolean }> {
    const { position } = delivery;
    const told = this.#adopted.get(position);
    if (told !== undefined) {
      const step = told.kind === "decided" ? await this.#adopt(told.fact) : { position, documents: [] };
      return { told, step, isTold: true };
    }
    const { parking } = this.#ports;
    let reason: string;
    if ("command" in delivery) {
      try {
        return { ...(await this.#settleCommand(delivery)), isTold: false };
      } catch (fault) {
        if (fault instanceof SupersededError || parking === undefined) throw fault;
        const found = parking.reasonOf(fault);
        if (found === undefined) throw fault;
        reason = found;
      }
    } else ({ reason } = delivery);
    await parking?.park(position, reason);
    return { told: { position, kind: "parked", reason }, step: { position, documents: [] }, isTold: false };
  }

  async #settleCommand(delivery: SpaceDelivery): Promise<{ told: Verdict; step: Step }> {
    await this.#read(this.#wanted([delivery]));
    const { position, command } = delivery;
    const { spaceId, operationId } = command;
    const isPassed = () => (this.#memory.headOf(spaceId)?.position ?? -1) >= position;
    if (isPassed()) await this.#read({ heads: [], documents: [], operations: [{ spaceId, operationId }], seqs: [] });
    const known = this.#memory.operation(spaceId, operationId) ?? undefined;
    const common = { position, operationId, spaceId };
    if (known !== undefined && known.position > position)
      throw new SupersededError(`Operation ${operationId} of space ${spaceId} is recorded at a later position`);
    if (known !== undefined && known.position < position) {
      const isSame = known.fingerprint === command.fingerprint;
      return { told: { ...common, kind: "repeated", first: known, isSame }, step: { position, documents: [] } };
    }
    if (known !== undefined) {
      const step = await this.#adopt(known);
      return { told: { ...common, kind: "decided", fact: known, documents: step.documents }, step };
    }
    if (isPassed()) return { told: { ...common, kind: "expired" }, step: { position, documents: [] } };
    const step = await this.#decide(delivery);
    const { fact } = step;
    const documents = fact.verdict === "unchanged" ? this.#answered(fact) : step.documents;
    return { told: { ...common, kind: "decided", fact, documents }, step };
  }

  /** What an operation that changed nothing is answered with: its decision has read all of it. */
  #answered({ spaceId, actorId, answers }: Fact): Document[] {
    return [...new Set(answers)].flatMap((id) => {
      const born = isPersonal(spaceId, actorId) ? personalDocument(spaceId, id) : undefined;
      return this.#memory.document({ spaceId, id }) ?? born ?? [];
    });
  }

  #decision(delivery: SpaceDelivery, looked: Looked) {
    const { spaceId, userId } = delivery.command;
    try {
      return decide(this.#ports.registry, this.#memory.view(spaceId, userId, looked), delivery.command);
    } catch (thrown) {
      throw thrown instanceof SupersededError ? thrown : new UndecidableError(delivery, thrown);
    }
  }

  async #decide(delivery: SpaceDelivery): Promise<Step & { fact: Fact }> {
    const { position, command } = delivery;
    const { spaceId } = command;
    const looked = lookedNothing();
    for (;;) {
      const before = headOrFirst(this.#memory, command);
      const decision = this.#decision(delivery, looked);
      if (decision.verdict === "needs") {
        const { documents, facts, operations } = decision.needs;
        await this.#read({
          heads: [],
          documents: [...documents].map((id) => ({ spaceId, id })),
          operations: [...operations].map((operationId) => ({ spaceId, operationId })),
          seqs: [...facts].map((seq) => ({ spaceId, seq })),
        });
        await lookUp({ store: this.#ports.store, memory: this.#memory }, spaceId, decision.needs, looked);
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
