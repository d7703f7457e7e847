/** Tells of an outage once when it begins and once when it is over, however often it is noticed. */
export type Outage = { failed(reason: string): void; fine(): void };

export function outage(tell: { began: (reason: string) => void; over: () => void }): Outage {
  let away = false;
  return {
    failed(reason) {
      if (!away) tell.began(reason);
      away = true;
    },
    fine() {
      if (away) tell.over();
      away = false;
    },
  };
}
