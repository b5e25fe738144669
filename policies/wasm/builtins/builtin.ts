import type { Value } from '../value.ts';

/** Takes fuel for work that the arguments do not show beforehand. Throws PolicyTrap when there is none left. */
export type Charge = (fuel: number) => void;

/** Returns undefined where opa's function would be undefined; throws Unsupported where it cannot answer as opa would. */
export interface HostBuiltin {
  call(args: readonly Value[], charge: Charge): Value | undefined;
  /** Fuel for these arguments beyond that for their length, for functions whose work is not linear in it. */
  readonly cost?: (args: readonly Value[]) => number;
}

/** The evaluation ends as a trap: an approximation would decide otherwise than the policy that was tested. */
export class Unsupported extends Error {
  constructor(what: string) {
    super(`${what} is not supported`);
    this.name = 'Unsupported';
  }
}

export function isText(value: Value | undefined): value is string {
  return typeof value === 'string';
}

/** A number without fraction, however it is written. */
export function toInteger(value: Value | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

/** A function of texts only; with anything else it is undefined. */
export function ofTexts(count: number, call: (...texts: string[]) => Value | undefined): HostBuiltin {
  return {
    call: (args) => {
      const texts = args.filter(isText);
      return texts.length === args.length && texts.length === count ? call(...texts) : undefined;
    },
  };
}
