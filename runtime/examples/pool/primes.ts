import { actor, ask, behave, topic } from "../../mod.ts";

/** How many numbers were looked at since the last message. */
export const progress = topic<number>("progress");

export type Range = { readonly from: number; readonly to: number };
export const primes = actor("primes", { count: ask<Range, number>() });

const isPrime = (number: number): boolean => {
  for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false;
  return number > 1;
};

export default behave(primes, {
  start: (self) => self,
  on: {
    count: (self, { from, to }) => {
      let found = 0;
      for (let number = from; number < to; number++) if (isPrime(number)) found++;
      self.publish(progress, to - from);
      return found;
    },
  },
});
