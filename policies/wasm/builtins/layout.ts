import { Unsupported } from './builtin.ts';

/** Times as Go's time.Format writes them (pkg.go.dev/time#Layout), in UTC. */

const NAMED: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
};
const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const DAY_MS = 86_400_000;
const MAX_PLACES = 9;

/** What Go recognises, longest first where one begins like another. */
const CHUNK =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|_2006|__2|_2|2|3|4|5|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)/g;

/** @param nanoseconds of the second, 0 to 999,999,999 */
export function formatTime(date: Date, nanoseconds: number, layout: string): string {
  const chunks = chunksOf(date);
  return (NAMED[layout === '' ? 'RFC3339Nano' : layout] ?? layout).replace(CHUNK, (chunk) => {
    const first = chunk.charAt(0);
    if (first === '.' || first === ',') return fraction(first, chunk.slice(1), nanoseconds);
    if (first === 'Z') return 'Z';
    if (first === '-') return chunk.replace('-07', '+00');
    return chunks[chunk] ?? chunk;
  });
}

function chunksOf(date: Date): Readonly<Record<string, string>> {
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
  const weekday = DAYS[date.getUTCDay()] ?? '';
  const monthName = MONTHS[month] ?? '';
  const yearDay =
    Math.floor((Date.UTC(2000, month, day) - Date.UTC(2000, 0, 1)) / DAY_MS) + 1 - Number(month > 1 && !isLeap(year));
  const half = hour % 12 === 0 ? 12 : hour % 12;
  const [two, three] = [(value: number) => padded(value, 2, '0'), (value: number) => padded(value, 3, '0')];
  return {
    January: monthName, Jan: monthName.slice(0, 3), '01': two(month + 1), 1: String(month + 1),
    Monday: weekday, Mon: weekday.slice(0, 3), MST: 'UTC',
    2: String(day), _2: padded(day, 2, ' '), '02': two(day), __2: padded(yearDay, 3, ' '), '002': three(yearDay),
    15: two(hour), 3: String(half), '03': two(half), PM: hour < 12 ? 'AM' : 'PM', pm: hour < 12 ? 'am' : 'pm',
    4: String(minute), '04': two(minute), 5: String(second), '05': two(second),
    2006: padded(year, 4, '0'), _2006: `_${padded(year, 4, '0')}`, '06': two(year % 100),
  }; // prettier-ignore
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Zeros keep their places, nines lose what is zero at the end, and the point with it. */
function fraction(point: string, places: string, nanoseconds: number): string {
  if (places.length > MAX_PLACES) throw new Unsupported('a fraction of a second with more than nine places');
  const digits = padded(nanoseconds, MAX_PLACES, '0').slice(0, places.length);
  if (places.startsWith('0')) return point + digits;
  const shown = digits.replace(/0+$/, '');
  return shown === '' ? '' : point + shown;
}

function padded(value: number, length: number, fill: string): string {
  return String(value).padStart(length, fill);
}
