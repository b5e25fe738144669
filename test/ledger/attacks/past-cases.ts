import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttackCase } from './cases.ts';
import type { BundleEditor } from './editor.ts';

const past = (name: string, at: number, expected: AttackCase['expect'], change?: (bundle: BundleEditor) => void): AttackCase =>
  ({ attack: 0, name: `as of entry ${String(at)}: ${name}`, base: 'younger', trust: { policy: 'policy', certificates: 'certificates' }, at, expect: expected, ...(change === undefined ? {} : { change }) }); // prettier-ignore
const rechained = (seq: number) => (b: BundleEditor) => { b.rechain(b.demo, seq, (f) => (f['effect'] = 'deny')); }; // prettier-ignore

/** States of the past: what came after them is not their problem, as far as it can be told apart. Epochs bound 6, 10 and 11 entries. */
export const PAST_CASES: readonly AttackCase[] = [
  past('all of it was seen by then', 9, { verdict: 'VALID_WITH_ERASURES', says: 'Only the log up to entry 9' }),
  past('later entries were seen by nobody', 12, { verdict: 'UNANCHORED', says: 'younger' }),
  { ...past('erased by a later order', 9, { verdict: 'VALID_WITH_ERASURES' }), base: 'erased' },
  past('the newest', 13, { verdict: 'UNANCHORED' }),
  past('a later entry is edited', 9, { verdict: 'VALID_WITH_ERASURES' }, (b) => { b.line(12, (line) => { line.receipt = null; line.hash = '00'.repeat(32); }); }),
  past('an earlier entry is edited', 9, { verdict: 'TAMPERED', log: 'demo', seq: 4 }, (b) => { b.line(4, (line) => (line.header = line.header.replace('"inc":0', '"inc":1'))); }),
  past('chained again behind what was seen', 9, { verdict: 'VALID_WITH_ERASURES' }, rechained(11)),
  past('chained again before what was seen', 8, { verdict: 'TAMPERED', log: 'demo', seq: 6 }, rechained(7)),
  past('chained again, but an older epoch has it', 4, { verdict: 'VALID' }, rechained(7)),
  past('the log ends before', 99, { verdict: 'INCOMPLETE', log: 'demo', seq: 14, says: 'up to entry 99' }),
  past('the log is cut behind it', 7, { verdict: 'UNANCHORED' }, (b) => { b.cut(b.demo, 8); }),
  past('other files are not looked into', 9, { verdict: 'VALID_WITH_ERASURES' }, (b) => { writeFileSync(join(b.dir, 'views', 'entries.csv'), ''); }),
]; // prettier-ignore
