/** Asks that wait for their answer, by id. */
export type Pending = Map<number, (value: unknown) => void>;

export function settle(pending: Pending, { id, body }: { readonly id: number; readonly body: unknown }): void {
  const resolve = pending.get(id);
  pending.delete(id);
  resolve?.(body);
}
