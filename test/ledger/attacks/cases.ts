import { copyFileSync, rmSync } from 'node:fs';
import type { JsonValue } from '../../../ledger/canonical.ts';
import { merkleRoot } from '../../../ledger/merkle.ts';
import { createNoteSigner, formatVerifierKey } from '../../../ledger/note/key.ts';
import { formatNote, parseNote, signNote } from '../../../ledger/note/note.ts';
import type { Verdict } from '../../../ledger/index.ts';
import type { BundleEditor, Line, Members } from './editor.ts';
import { VKEY } from './stand.ts';
import type { Base, Stand } from './stand.ts';

/** Files of the reader for an input of the verifier. */
export type Trust = Partial<
  Record<'policy' | 'certificates' | 'checkpoints' | 'receipts', Parameters<Stand['file']>[0]>
>;

export interface AttackCase {
  /** Row of the list of attacks; 0 for what is no attack. */
  readonly attack: number;
  readonly name: string;
  readonly base: Base;
  readonly change?: (bundle: BundleEditor, stand: Stand) => void;
  /** How far the other files are made to fit what was changed; default all: whoever attacks knows the format. */
  readonly fits?: 'all' | 'digests' | 'nothing';
  /** The state that is asked for: its last entry. */
  readonly at?: number;
  readonly trust: Trust;
  readonly expect: {
    readonly verdict: Verdict;
    readonly seq?: number;
    readonly section?: string;
    readonly log?: 'demo' | 'deployment';
    /** Path; `{demo}` and `{deployment}` stand for the logs. */
    readonly file?: string;
    /** In the problem, or in what is not proven. */
    readonly says?: string;
  };
}

const NONE: Trust = {};
const ALL: Trust = { policy: 'policy', certificates: 'certificates' };
const STAMPS: Trust = { policy: 'quorumless', certificates: 'certificates' };
const KEPT: Trust = { policy: 'quorumless', checkpoints: 'checkpoints' };
const RECEIPTS: Trust = { ...ALL, receipts: 'receipts' };

interface Note {
  note: string;
  vkey: string;
}
const thief = createNoteSigner(VKEY.split('+')[0] ?? '', 'ed25519', Buffer.alloc(32, 9));

function resign(bundle: BundleEditor, change: (note: Note) => Note): void {
  bundle.write(bundle.deployment, 'checkpoints.jsonl', bundle.lines<Note>(bundle.deployment, 'checkpoints.jsonl').map(change)); // prettier-ignore
}

function facts(line: Line): Members {
  return (line.sections['facts']?.value ?? {}) as Members;
}

/** Cuts both logs and all that speaks of it to what the first epoch bound: an older export. */
function turnBack(bundle: BundleEditor): void {
  const { demo, deployment } = bundle;
  bundle.writeTexts(demo, 'epochs.jsonl', bundle.texts(demo, 'epochs.jsonl').slice(0, 1));
  for (const file of ['checkpoints.jsonl', 'anchors.jsonl'])
    bundle.writeTexts(deployment, file, bundle.texts(deployment, file).slice(0, 1));
  const [note] = bundle.lines<Note>(deployment, 'checkpoints.jsonl');
  bundle.cut(deployment, Number(note?.note.split('\n')[1]));
  bundle.cut(demo, 6);
}

const edited = (name: string, seq: number, edit: (line: Line) => void, section?: string): AttackCase => ({
  attack: 1,
  name,
  base: 'good',
  trust: ALL,
  change: (bundle) => {
    bundle.line(seq, edit);
  },
  expect: { verdict: 'TAMPERED', log: 'demo', seq, ...(section === undefined ? {} : { section }) },
});

const spelled = (name: string, edit: (header: string) => string): AttackCase => ({
  attack: 20,
  name: `a header with ${name}, hashed again`,
  base: 'good',
  trust: ALL,
  change: (bundle) => {
    bundle.header(4, edit);
  },
  expect: { verdict: 'TAMPERED', log: 'demo', seq: 4, says: 'canonical' },
});

/** Attacks on an export, done with whatever rights they need, and what the verifier has to say. */
export const CASES: readonly AttackCase[] = [
  { attack: 0, name: 'nothing', base: 'good', trust: ALL, expect: { verdict: 'VALID' } },
  { attack: 0, name: 'nothing, a reader with certificates alone', base: 'good', trust: STAMPS, expect: { verdict: 'VALID', says: 'that takes witnesses' } }, // prettier-ignore
  { attack: 0, name: 'nothing, a reader with a checkpoint', base: 'erased', trust: KEPT, expect: { verdict: 'VALID_WITH_ERASURES', says: 'that you kept' } }, // prettier-ignore
  { attack: 0, name: 'nothing, a reader who brings nothing', base: 'good', trust: NONE, expect: { verdict: 'UNANCHORED', says: 'No outside anchor' } }, // prettier-ignore
  { attack: 0, name: 'nothing, with entries younger than the anchor', base: 'younger', trust: RECEIPTS, expect: { verdict: 'UNANCHORED', says: 'younger' } }, // prettier-ignore
  edited('a header is edited', 3, (line) => (line.header = line.header.replace('"inc":0', '"inc":1'))),
  edited('facts are edited', 3, (line) => (facts(line)['status'] = 'failed'), 'facts'),
  edited('a sealed section is edited', 2, (line) => ((line.sections['input'] ?? { value: null }).value = {}), 'input'),
  edited('a receipt is replaced', 2, (line) => (line.receipt = { ...(line.receipt as Members), sig: 'A'.repeat(86) })),
  { attack: 2, name: 'an entry is taken out', base: 'good', trust: ALL, change: (b) => { b.writeTexts(b.demo, 'entries.jsonl', b.texts(b.demo, 'entries.jsonl').toSpliced(2, 1)); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 2 } }, // prettier-ignore
  { attack: 3, name: 'the end is cut that nothing bound', base: 'younger', trust: ALL, change: (b) => { b.cut(b.demo, 13); }, expect: { verdict: 'UNANCHORED' } }, // prettier-ignore
  { attack: 3, name: 'the same, before a reader with the last caller\u2019s receipt', base: 'younger', trust: RECEIPTS, change: (b) => { b.cut(b.demo, 11); }, expect: { verdict: 'INCOMPLETE', log: 'demo', seq: 11, says: 'receipt' } }, // prettier-ignore
  { attack: 4, name: 'the end is cut that an epoch bound', base: 'good', trust: NONE, change: (b) => { b.cut(b.demo, 7); }, expect: { verdict: 'INCOMPLETE', log: 'demo', seq: 7, says: 'bound it with 10' } }, // prettier-ignore
  { attack: 4, name: 'the end is cut with every epoch and checkpoint that speaks of it', base: 'good', trust: NONE, change: turnBack, expect: { verdict: 'UNANCHORED' } }, // prettier-ignore
  { attack: 4, name: 'the same, before a reader with the last checkpoint', base: 'good', trust: KEPT, change: turnBack, expect: { verdict: 'INCOMPLETE', log: 'deployment', says: 'that you kept' } }, // prettier-ignore
  { attack: 5, name: 'two entries are swapped', base: 'good', trust: ALL, change: (b) => { const [a = '', c = '', d = '', e = '', ...rest] = b.texts(b.demo, 'entries.jsonl'); b.writeTexts(b.demo, 'entries.jsonl', [a, c, e, d, ...rest]); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 2 } }, // prettier-ignore
  { attack: 6, name: 'the log is chained again without its key', base: 'good', trust: NONE, change: (b) => { b.rechain(b.demo, 7, (f) => (f['status'] = 'failed')); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 6, says: 'epoch 1' } }, // prettier-ignore
  { attack: 7, name: 'another history by the same keys', base: 'fork', trust: NONE, expect: { verdict: 'UNANCHORED' } },
  { attack: 7, name: 'the same, before a reader with witnesses', base: 'fork', trust: ALL, expect: { verdict: 'UNANCHORED' } }, // prettier-ignore
  { attack: 7, name: 'the same, before a reader with a checkpoint', base: 'fork', trust: KEPT, expect: { verdict: 'FORKED', log: 'deployment' } }, // prettier-ignore
  {
    attack: 8,
    name: 'the database is restored to a snapshot and carried on',
    base: 'fork',
    trust: NONE,
    expect: { verdict: 'UNANCHORED' },
  },
  { attack: 8, name: 'the same, before a reader with a checkpoint from before', base: 'fork', trust: KEPT, expect: { verdict: 'FORKED', log: 'deployment', seq: 6 } }, // prettier-ignore
  { attack: 9, name: 'a lagging copy takes over: before a reader with receipts', base: 'fork', trust: { policy: 'quorumless', receipts: 'receipts' }, expect: { verdict: 'FORKED', log: 'demo', seq: 6, says: 'receipt' } }, // prettier-ignore
  { attack: 10, name: 'a second view, before a reader with a receipt of the first', base: 'fork', trust: RECEIPTS, expect: { verdict: 'FORKED', log: 'demo', seq: 6 } }, // prettier-ignore
  { attack: 11, name: 'another head of the log in the same epoch', base: 'good', trust: ALL, change: (b) => { b.write(b.demo, 'epochs.jsonl', b.lines<Members>(b.demo, 'epochs.jsonl').map((line, i) => (i === 1 ? { ...line, root: 'ab'.repeat(32) } : line))); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 6, says: 'does not bind this head' } }, // prettier-ignore
  { attack: 12, name: 'a call that a compromised gateway made up', base: 'younger', trust: NONE, change: (b) => { b.append('decision', 'cs-made-up', { effect: 'allow' }); }, expect: { verdict: 'UNANCHORED', says: 'recorded content is true' } }, // prettier-ignore
  { attack: 12, name: 'a call of a writer whom nobody registered', base: 'younger', trust: NONE, change: (b) => { b.append('decision', 'cs-made-up', { effect: 'deny' }, { wid: 'w-nobody', wseq: 1 }); }, expect: { verdict: 'INCOMPLETE', says: 'tells of writer w-nobody' } }, // prettier-ignore
  { attack: 14, name: 'an open call is not listed', base: 'younger', trust: NONE, change: (b) => { b.manifest((m) => (m['open_calls'] = [])); }, expect: { verdict: 'INCOMPLETE', log: 'demo', says: 'no outcome' } }, // prettier-ignore
  { attack: 15, name: 'an outcome is doubled', base: 'younger', trust: NONE, change: (b) => { b.append('outcome', b.call(1), { status: 'ok' }); }, expect: { verdict: 'TAMPERED', log: 'demo', says: 'second' } }, // prettier-ignore
  { attack: 15, name: 'an outcome is suppressed', base: 'good', trust: NONE, change: (b) => { b.cut(b.demo, 9); b.writeTexts(b.demo, 'epochs.jsonl', b.texts(b.demo, 'epochs.jsonl').slice(0, 1)); }, expect: { verdict: 'INCOMPLETE', log: 'demo', seq: 9 } }, // prettier-ignore
  { attack: 16, name: 'the clock is set back', base: 'younger', trust: NONE, change: (b) => { b.append('decision', 'cs-early', { effect: 'allow' }, { t: 1 }); }, expect: { verdict: 'TAMPERED', log: 'demo', says: 'time' } }, // prettier-ignore
  spelled('a key twice', (header) => header.replace('"inc":0', '"inc":0,"inc":0')),
  spelled('a number with an exponent', (header) => header.replace('"v":1', '"v":1e0')),
  spelled('minus zero', (header) => header.replace('"inc":0', '"inc":-0')),
  spelled('an escape', (header) => header.replace('"kind":"d', '"kind":"\\u0064')),
  spelled('keys in another order', (header) => header.replace(/"inc":0,("kind":"[a-z]+"),/, '$1,"inc":0,')),
  spelled('a number beyond exact ones', (header) => header.replace(/"t":\d+/, '"t":9007199254740993')),
  { attack: 20, name: 'a member of a line twice', base: 'good', trust: ALL, change: (b) => { b.text(4, (line) => line.replace('{"hash"', '{"hash":"00","hash"')); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 4 } }, // prettier-ignore
  { attack: 21, name: 'the border between salt and value is moved', base: 'good', trust: ALL, change: (b) => { b.text(4, (line) => line.replace(/"salt":"([0-9a-f]{30})[0-9a-f]{2}"/, '"salt":"$1"')); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 4 } }, // prettier-ignore
  { attack: 22, name: 'an inner node is passed off as a leaf', base: 'good', trust: ALL, change: (b) => { b.line(4, (line) => { const [one = '', two = '', ...rest] = line.leaves; line.leaves = [merkleRoot([one, two]), ...rest]; }); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 4, says: 'section hashes' } }, // prettier-ignore
  { attack: 23, name: 'a record of another epoch in its place', base: 'good', trust: ALL, change: (b) => { const [one, two] = b.lines<Members>(b.demo, 'epochs.jsonl'); b.write(b.demo, 'epochs.jsonl', [one, { ...two, nonce: one?.['nonce'] ?? null, path: one?.['path'] ?? null }]); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 6 } }, // prettier-ignore
  { attack: 23, name: 'timestamps of one checkpoint at another', base: 'good', trust: STAMPS, change: (b) => { const [one, two] = b.lines<Members>(b.deployment, 'anchors.jsonl'); b.write(b.deployment, 'anchors.jsonl', [{ ...one, timestamps: two?.['timestamps'] ?? null }, { ...two, timestamps: one?.['timestamps'] ?? null }]); }, expect: { verdict: 'UNANCHORED' } }, // prettier-ignore
  { attack: 23, name: 'anchors of another log', base: 'fork', trust: ALL, change: (b, stand) => { copyFileSync(`${stand.dir('good')}/logs/${b.deployment}/anchors.jsonl`, b.path(b.deployment, 'anchors.jsonl')); }, expect: { verdict: 'UNANCHORED' } }, // prettier-ignore
  { attack: 23, name: 'a stranger\u2019s signature below the log\u2019s', base: 'good', trust: ALL, change: (b) => { resign(b, ({ note, vkey }) => { const { text, signatures } = parseNote(note); return { vkey, note: formatNote({ text, signatures: [...parseNote(signNote(text, [thief])).signatures, ...signatures] }) }; }); }, expect: { verdict: 'VALID' } }, // prettier-ignore
  { attack: 23, name: 'a stranger\u2019s signature below the log\u2019s, before a reader with certificates alone', base: 'good', trust: STAMPS, change: (b) => { resign(b, ({ note, vkey }) => { const { text, signatures } = parseNote(note); return { vkey, note: formatNote({ text, signatures: [...parseNote(signNote(text, [thief])).signatures, ...signatures] }) }; }); }, expect: { verdict: 'UNANCHORED' } }, // prettier-ignore
  { attack: 23, name: 'a log of another origin than the reader\u2019s', base: 'good', trust: { policy: 'other-log' }, expect: { verdict: 'UNANCHORED', says: 'does not name' } }, // prettier-ignore
  { attack: 24, name: 'an erasure by order', base: 'erased', trust: ALL, expect: { verdict: 'VALID_WITH_ERASURES' } },
  { attack: 24, name: 'evidence is called erased', base: 'good', trust: ALL, change: (b) => { b.line(4, (line) => { line.sections = { facts: line.sections['facts'] ?? { salt: '', value: null } }; line.erased = '12345'; }); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 4 } }, // prettier-ignore
  { attack: 24, name: 'what was erased is called pruned', base: 'erased', trust: ALL, change: (b) => { b.line(6, (line) => { line.pruned = true; }); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 6, says: 'no prune entry covers it' } }, // prettier-ignore
  { attack: 25, name: 'checkpoints of a key that was put in the place of the log\u2019s', base: 'good', trust: ALL, change: (b) => { resign(b, ({ note }) => ({ note: signNote(parseNote(note).text, [thief]), vkey: formatVerifierKey(thief.key) })); }, expect: { verdict: 'UNANCHORED', says: 'does not name' } }, // prettier-ignore
  { attack: 25, name: 'the same, under the old key\u2019s name', base: 'good', trust: NONE, change: (b) => { resign(b, ({ note, vkey }) => ({ note: signNote(parseNote(note).text, [thief]), vkey })); }, expect: { verdict: 'TAMPERED', log: 'deployment' } }, // prettier-ignore
  { attack: 28, name: 'a file is lost', base: 'good', trust: ALL, change: (b) => { rmSync(b.path(b.demo, 'epochs.jsonl')); }, expect: { verdict: 'INCOMPLETE', log: 'demo' } }, // prettier-ignore
  { attack: 28, name: 'the log begins later, as a new one', base: 'good', trust: ALL, change: (b) => { b.writeTexts(b.demo, 'entries.jsonl', b.texts(b.demo, 'entries.jsonl').slice(4)); b.fitManifest(); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 0 } }, // prettier-ignore
  { attack: 29, name: 'one tenant\u2019s log is rewritten between two epochs, and its records are fitted', base: 'good', trust: ALL, change: (b) => { b.rechain(b.demo, 7, (f) => (f['status'] = 'failed')); const hashes = b.lines<Line>(b.demo, 'entries.jsonl').map(({ hash }) => hash); b.write(b.demo, 'epochs.jsonl', b.lines<Members & { size: number }>(b.demo, 'epochs.jsonl').map((each): JsonValue => ({ ...each, root: merkleRoot(hashes.slice(0, each.size)) }))); }, expect: { verdict: 'TAMPERED', log: 'demo', seq: 6, says: 'does not bind this head' } }, // prettier-ignore
];
