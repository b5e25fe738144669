import { isList, printValue, ValueObject, ValueSet } from '../value.ts';
import type { Value } from '../value.ts';
import { toInteger, Unsupported } from './builtin.ts';
import type { HostBuiltin } from './builtin.ts';

const MAX_RANGE = 100_000n;

export const COLLECTION_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'object.subset': {
    call: ([whole, part]) => (whole === undefined || part === undefined ? undefined : isSubset(whole, part)),
    cost: ([whole, part]) => (isList(whole) && isList(part) ? (whole.length * part.length) / 8 : 0),
  },
  'numbers.range_step': { call: ([from, to, step]) => range(toInteger(from), toInteger(to), toInteger(step)) },
};

function isSubset(whole: Value, part: Value): boolean | undefined {
  if (whole instanceof ValueObject && part instanceof ValueObject) return objectHolds(whole, part);
  if (whole instanceof ValueSet && part instanceof ValueSet) return setHolds(whole, part);
  if (isList(whole) && isList(part)) return listHolds(whole, part);
  return isList(whole) && part instanceof ValueSet ? listHoldsSet(whole, part) : undefined;
}

/** Members of an object are compared the same way, if both are of one kind. */
function objectHolds(whole: ValueObject, part: ValueObject): boolean {
  const members = new Map(whole.entries.map(([key, value]) => [printValue(key), value]));
  return part.entries.every(([key, wanted]) => {
    const found = members.get(printValue(key));
    if (found === undefined) return false;
    if (printValue(found) === printValue(wanted)) return true;
    return !(isList(found) && wanted instanceof ValueSet) && isSubset(found, wanted) === true;
  });
}

function setHolds(whole: ValueSet, part: ValueSet): boolean {
  const items = new Set(whole.items.map(printValue));
  return part.items.every((item) => items.has(printValue(item)));
}

/** Whether the list holds all of the other, one item after the other. */
function listHolds(whole: readonly Value[], part: readonly Value[]): boolean {
  const [all, wanted] = [whole.map(printValue), part.map(printValue)];
  if (wanted.length === 0) return true;
  return all.some((_, at) => wanted.every((item, i) => all[at + i] === item));
}

/** opa counts items of the list that are in the set, equal ones as often as they occur. */
function listHoldsSet(whole: readonly Value[], part: ValueSet): boolean {
  const items = new Set(part.items.map(printValue));
  const matching = whole.filter((item) => items.has(printValue(item))).length;
  return whole.length > 0 && matching >= items.size;
}

function range(from?: bigint, to?: bigint, step?: bigint): Value | undefined {
  if (from === undefined || to === undefined || step === undefined || step <= 0n) return undefined;
  const distance = from <= to ? to - from : from - to;
  const count = distance / step + 1n;
  if (count > MAX_RANGE) throw new Unsupported(`numbers.range_step with more than ${MAX_RANGE} numbers`);
  const direction = from <= to ? step : -step;
  return Array.from({ length: Number(count) }, (_, i) => from + BigInt(i) * direction);
}
