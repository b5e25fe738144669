import { appendFileSync, mkdirSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UnreadableReason } from '../../../ledger/index.ts';
import type { AttackCase } from './cases.ts';
import type { BundleEditor, Line, Members } from './editor.ts';

/** Bundles that are made to harm whoever checks them. */
export interface HostileCase extends Omit<AttackCase, 'attack' | 'trust' | 'base'> {
  readonly reason?: UnreadableReason;
  /** A browser hands out no links. */
  readonly onDiskOnly?: boolean;
}

const refused = (name: string, reason: UnreadableReason, change: (bundle: BundleEditor) => void): HostileCase => ({
  name,
  change,
  reason,
  expect: { verdict: 'UNVERIFIABLE' },
});
const found = (name: string, seq: number, change: (bundle: BundleEditor) => void): HostileCase => ({
  name,
  change,
  expect: { verdict: 'TAMPERED', log: 'demo', seq },
});
const manifestText = (bundle: BundleEditor, text: string | Uint8Array): void => {
  writeFileSync(join(bundle.dir, 'manifest.json'), text);
};
/** Where a file of the bundle is, as a link to the real one. */
function link(bundle: BundleEditor, path: string): void {
  const outside = `${bundle.dir}-outside`;
  renameSync(join(bundle.dir, path), outside);
  symlinkSync(outside, join(bundle.dir, path));
}

const MANY_SIGNATURES = `\u2014 x.test ${Buffer.alloc(68, 1).toString('base64')}\n`.repeat(1_000_000);
const MARKUP = '<img src=x onerror="document.body.dataset.owned=1"><script>document.body.dataset.owned=1</script>';

export const HOSTILE: readonly HostileCase[] = [
  refused('a log id that leads out of the folder', 'format', (b) => {
    b.manifest(({ logs }) => {
      for (const log of logs) log['log'] = '../../../../../etc';
    });
  }),
  refused('a manifest that is deeply nested', 'format', (b) => {
    manifestText(b, `{"format":${'['.repeat(1_000_000)}`);
  }),
  refused('a manifest with a key twice', 'format', (b) => {
    manifestText(b, `{"format":"countersign/export/v1","format":"countersign/export/v1"}\n`);
  }),
  refused('a manifest that is not UTF-8', 'not_utf8', (b) => {
    manifestText(b, Buffer.from('7b22666f726d6174223a22ff227d', 'hex'));
  }),
  refused('a manifest larger than any', 'limit', (b) => {
    manifestText(b, Buffer.alloc(17 * 1024 * 1024, 0x20));
  }),
  refused('a manifest with a file that leads out of the folder', 'format', (b) => {
    b.manifest(({ files }) => {
      files['views/../../../etc/passwd'] = { bytes: 1, sha256: '0'.repeat(64) };
    });
  }),
  refused('a manifest of two hundred thousand files', 'format', (b) => {
    b.manifest((manifest) => {
      const file = { bytes: 0, sha256: '' };
      manifest.files = Object.fromEntries(Array.from({ length: 200_000 }, (_, index) => [`f${String(index)}`, file]));
    });
  }),
  refused('a manifest of two thousand logs', 'format', (b) => {
    b.manifest((manifest) => {
      manifest.logs = Array.from({ length: 2000 }, () => ({ log: '', ...manifest.logs[0] }));
    });
  }),
  { ...refused('a link in the place of a file', 'unsafe_file', (b) => { link(b, `logs/${b.demo}/entries.jsonl`); }), onDiskOnly: true }, // prettier-ignore
  { ...refused('a link in the place of a folder', 'unsafe_file', (b) => { link(b, `logs/${b.demo}`); }), onDiskOnly: true }, // prettier-ignore
  { ...refused('a link in the place of a view', 'unsafe_file', (b) => { link(b, 'views/entries.csv'); }), onDiskOnly: true }, // prettier-ignore
  { name: 'a link that nobody asked for', change: (b) => { symlinkSync('/', join(b.dir, 'root')); }, expect: { verdict: 'UNANCHORED', says: '1 files in the folder are no part of the export' }, onDiskOnly: true }, // prettier-ignore
  { name: 'names that act on a terminal', change: (b) => { writeFileSync(join(b.dir, '\u001b[2Jclear\u202e'), ''); }, expect: { verdict: 'UNANCHORED', says: '?[2Jclear?' } }, // prettier-ignore
  { name: 'folders without end', change: (b) => { mkdirSync(join(b.dir, ...Array.from({ length: 100 }, () => 'deep')), { recursive: true }); }, expect: { verdict: 'UNANCHORED', says: 'deep/deep' }, onDiskOnly: true }, // prettier-ignore
  { name: 'a view without an end', change: (b) => { truncateSync(join(b.dir, 'views', 'entries.csv'), 2 ** 40); }, expect: { verdict: 'TAMPERED', file: 'views/entries.csv', says: 'goes on behind its end' }, fits: 'nothing', onDiskOnly: true }, // prettier-ignore
  { name: 'a seed of half a million characters', change: (b) => { writeFileSync(join(b.dir, 'completeness.json'), `{"asked":{"sample":{"seed":"${'x'.repeat(500_000)}","size":5}}}\n`); }, expect: { verdict: 'TAMPERED', file: 'completeness.json' } }, // prettier-ignore
  { name: 'a time beyond all dates', change: (b) => { b.append('decision', 'cs-late', { effect: 'allow' }, { t: Number.MAX_SAFE_INTEGER }); }, expect: { verdict: 'TAMPERED', file: 'completeness.json' } }, // prettier-ignore
  { ...refused('a folder in the place of a file', 'unsafe_file', (b) => { renameSync(b.path(b.demo, 'entries.jsonl'), `${b.dir}-away`); mkdirSync(b.path(b.demo, 'entries.jsonl')); }), onDiskOnly: true }, // prettier-ignore
  {
    name: 'a manifest that promises a billion entries',
    change: (b) => {
      b.manifest(({ logs }) => {
        for (const log of logs) log['entries'] = 1_000_000_000;
      });
    },
    expect: { verdict: 'INCOMPLETE', says: 'the manifest says 1000000000' },
  },
  {
    name: 'a note with a million signatures',
    change: (b) => {
      const notes = b.lines<{ note: string; vkey: string }>(b.deployment, 'checkpoints.jsonl');
      b.write(b.deployment, 'checkpoints.jsonl', notes.map(({ note, vkey }) => ({ vkey, note: note + MANY_SIGNATURES }))); // prettier-ignore
    },
    expect: { verdict: 'TAMPERED', log: 'deployment' },
  },
  {
    name: 'anchors of a million signatures',
    change: (b) => {
      writeFileSync(b.path(b.deployment, 'anchors.jsonl'), `{"cosignatures":["${MANY_SIGNATURES.replaceAll('\n', '","')}"],"size":1,"timestamps":[]}\n`); // prettier-ignore
    },
    expect: { verdict: 'UNANCHORED' },
  },
  found('a line that is deeply nested', 4, (b) => {
    b.text(4, () => '['.repeat(1_000_000));
  }),
  found('a section that is deeply nested', 4, (b) => {
    b.text(4, (line) => line.replace(/"value":/, `"value":${'['.repeat(5000)}1${']'.repeat(5000)},"x":`));
  }),
  found('a line that is not UTF-8', 4, (b) => {
    b.writeTexts(b.demo, 'entries.jsonl', b.texts(b.demo, 'entries.jsonl').slice(0, 4));
    appendFileSync(b.path(b.demo, 'entries.jsonl'), Buffer.from('7b2268617368223a22fffe22\n', 'hex'));
  }),
  found('a line without an end', 4, (b) => {
    b.writeTexts(b.demo, 'entries.jsonl', b.texts(b.demo, 'entries.jsonl').slice(0, 4));
    appendFileSync(b.path(b.demo, 'entries.jsonl'), Buffer.alloc(65 * 1024 * 1024, 0x41));
  }),
  found('a section that nothing commits to', 4, (b) => {
    b.line(4, (line) => {
      line.sections['verdict'] = { salt: '', value: 'VALID' };
    });
  }),
  found('members named as those of every object', 4, (b) => {
    b.text(4, (line) => line.replace('"sections":{', '"sections":{"__proto__":{"salt":"","value":null},'));
  }),
  {
    name: 'writers\u2019 numbers as far apart as they can be',
    change: (b) => {
      const last = JSON.parse(b.lines<Line>(b.demo, 'entries.jsonl').at(-1)?.header ?? '') as Members;
      for (let i = 0; i < 40; i += 1)
        b.append('access', `far-${String(i)}`, {}, { wid: `w-${String(i)}`, wseq: 2 ** 31 - 3, t: last['t'] ?? 0 });
    },
    expect: { verdict: 'TAMPERED', log: 'demo', seq: 10, says: 'beyond what can be followed' },
  },
  {
    name: 'markup in whatever is shown',
    change: (b) => {
      b.manifest((manifest) => {
        manifest['tenant'] = `${MARKUP}\u001b[2J\u009b\u202e\nVALID`;
        for (const log of manifest.logs) log['origin'] = MARKUP;
      });
    },
    expect: { verdict: 'TAMPERED', says: 'the log id is not the hash' },
  },
];
