import { isList } from '../value.ts';
import type { Value } from '../value.ts';
import { isText, ofTexts, toInteger, Unsupported } from './builtin.ts';
import type { HostBuiltin } from './builtin.ts';
import { durationNs } from './duration.ts';
import { formatTime } from './layout.ts';

/**
 * Dates in UTC. Another zone would need the zone data of the day of the decision, which a replay may not have; a policy
 * that asks for one could not be decided.
 */
export const TIME_BUILTINS: Readonly<Record<string, HostBuiltin>> = {
  'time.date': onTime((date) => [year(date), BigInt(date.getUTCMonth() + 1), BigInt(date.getUTCDate())]),
  'time.clock': onTime((date) => clock(date).map(BigInt)),
  'time.weekday': onTime((date) => WEEKDAYS[date.getUTCDay()]),
  'time.parse_rfc3339_ns': ofTexts(1, parseRfc3339),
  'time.parse_duration_ns': ofTexts(1, durationNs),
  'time.format': { call: ([time]) => format(time) },
  'time.add_date': { call: ([time, ...counts]) => addDate(readNs(time), counts.map(toInteger)) },
  'time.diff': { call: ([one, other]) => difference(readNs(one), readNs(other)) },
};

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const NS_PER_MS = 1_000_000n;
const NS_PER_S = 1_000_000_000n;
const MAX_COUNT = 1_000_000n;

function onTime(call: (date: Date) => Value | undefined): HostBuiltin {
  return {
    call: ([time]) => {
      const ns = readNs(time);
      return ns === undefined ? undefined : call(dateOf(ns));
    },
  };
}

/** `ns` or `[ns, zone]`. */
function readNs(time: Value | undefined): bigint | undefined {
  const [number, zone = '', ...more] = isList(time) ? time : [time];
  if (!isText(zone)) return undefined;
  const ns = toInteger(number);
  if (ns === undefined || BigInt.asIntN(64, ns) !== ns) return undefined;
  if ((zone !== '' && zone !== 'UTC') || more.length > 0) throw new Unsupported('a time zone other than UTC');
  return ns;
}

/** `ns`, or `[ns, zone, layout]` with less of it. */
function format(time: Value | undefined): Value | undefined {
  const [number, zone, layout = ''] = isList(time) ? time : [time];
  const ns = readNs(zone === undefined ? number : [number ?? null, zone]);
  if (ns === undefined || !isText(layout)) return undefined;
  return formatTime(dateOf(ns), Number(((ns % NS_PER_S) + NS_PER_S) % NS_PER_S), layout);
}

/** The millisecond a time lies in. */
function dateOf(ns: bigint): Date {
  return new Date(Number((ns - BigInt.asUintN(64, ((ns % NS_PER_MS) + NS_PER_MS) % NS_PER_MS)) / NS_PER_MS));
}

function year(date: Date): bigint {
  return BigInt(date.getUTCFullYear());
}

function clock(date: Date): [number, number, number] {
  return [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
}

/** Undefined outside of what 64 bits of nanoseconds can say. */
function inRange(ns: bigint): bigint | undefined {
  return BigInt.asIntN(64, ns) === ns ? ns : undefined;
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Go's time.Parse with its RFC 3339 layout. */
function parseRfc3339(text: string): bigint | undefined {
  const found = RFC3339.exec(text);
  if (found === null) return undefined;
  const [, ...parts] = found;
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(0, 6).map(Number);
  const [fraction = '', sign, zoneHours = '0', zoneMinutes = '0'] = parts.slice(6);
  if (hours > 23 || minutes > 59 || seconds > 59 || Number(zoneHours) > 24 || Number(zoneMinutes) > 60)
    return undefined;
  const date = utc(years, months - 1, days, [hours, minutes, seconds]);
  if (date.getUTCMonth() !== months - 1 || date.getUTCDate() !== days) return undefined;
  const offset = BigInt(Number(zoneHours) * 3600 + Number(zoneMinutes) * 60) * NS_PER_S;
  const local = BigInt(date.getTime()) * NS_PER_MS + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return inRange(sign === '-' ? local + offset : local - offset);
}

/** Months and days beyond their range count on, as in Go's time.Date. */
function utc(years: number, months: number, days: number, time: readonly [number, number, number]): Date {
  const date = new Date(0);
  date.setUTCFullYear(years, months, days);
  date.setUTCHours(...time);
  return date;
}

function addDate(ns: bigint | undefined, counts: readonly (bigint | undefined)[]): bigint | undefined {
  const [years, months, days] = counts;
  if (ns === undefined || years === undefined || months === undefined || days === undefined) return undefined;
  if ([years, months, days].some((count) => count > MAX_COUNT || count < -MAX_COUNT)) {
    throw new Unsupported('time.add_date of more than a million years, months or days');
  }
  const date = dateOf(ns);
  const whole = utc(
    date.getUTCFullYear() + Number(years),
    date.getUTCMonth() + Number(months),
    date.getUTCDate() + Number(days),
    clock(date),
  ).getTime();
  if (Number.isNaN(whole)) return undefined;
  const second = ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
  return inRange(BigInt(whole) * NS_PER_MS + second);
}

/** Years, months, days, hours, minutes and seconds between two times, whichever is first. */
function difference(one: bigint | undefined, other: bigint | undefined): Value | undefined {
  if (one === undefined || other === undefined) return undefined;
  const [from, to] = [dateOf(one < other ? one : other), dateOf(one < other ? other : one)];
  const parts = (date: Date): number[] => [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    ...clock(date),
  ];
  const start = parts(from);
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = parts(to).map(
    (part, i) => part - (start[i] ?? 0),
  );
  const daysOfMonth = new Date(Date.UTC(2000, 0, 1));
  daysOfMonth.setUTCFullYear(from.getUTCFullYear(), from.getUTCMonth() + 1, 0);
  const borrowed = carry([years, months, days, hours, minutes, seconds], [0, 12, daysOfMonth.getUTCDate(), 24, 60, 60]);
  return borrowed.map(BigInt);
}

/** Takes what is missing at one place from the place before it, from the last on. */
function carry(values: readonly number[], sizes: readonly number[]): number[] {
  const out = [...values];
  for (let at = out.length - 1; at > 0; at -= 1) {
    if ((out[at] ?? 0) >= 0) continue;
    out[at] = (out[at] ?? 0) + (sizes[at] ?? 0);
    out[at - 1] = (out[at - 1] ?? 0) - 1;
  }
  return out;
}
