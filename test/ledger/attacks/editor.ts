import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../../../ledger/canonical.ts';
import type { JsonValue } from '../../../ledger/canonical.ts';
import { sectionNames } from '../../../ledger/entry.ts';
import { leafHash, merkleRoot } from '../../../ledger/merkle.ts';
import { ABSENT, sectionLeaf } from '../../../ledger/seal.ts';

export type Members = { [name: string]: JsonValue };

/** A line of entries.jsonl, parsed. */
export interface Line {
  hash: string;
  header: string;
  leaves: string[];
  receipt: JsonValue;
  sections: { [name: string]: { salt: string; value: JsonValue } };
  erased?: string;
  pruned?: boolean;
}

/** As much of manifest.json as is edited. */
export type Manifest = Members & { logs: (Members & { log: string })[]; files: { [path: string]: Members } };

/** Edits a copy of an export as somebody with any tools could. */
export class BundleEditor {
  readonly dir: string;
  /** Ids of the tenant's log and of the deployment's. */
  readonly demo: string;
  readonly deployment: string;

  constructor(dir: string) {
    this.dir = dir;
    const logs = readdirSync(join(dir, 'logs'));
    const holds = (file: string): string =>
      logs.find((log) => readdirSync(join(dir, 'logs', log)).includes(file)) ?? '';
    this.demo = holds('epochs.jsonl');
    this.deployment = holds('checkpoints.jsonl');
  }

  path(log: string, file: string): string {
    return join(this.dir, 'logs', log, file);
  }

  /** Paths of the proofs of drawn calls. */
  proofs(): string[] {
    return readdirSync(join(this.dir, 'samples')).filter((name) => name.endsWith('.tlog-proof')).map((name) => `samples/${name}`); // prettier-ignore
  }

  texts(log: string, file: string): string[] {
    return readFileSync(this.path(log, file), 'utf8').trimEnd().split('\n');
  }

  lines<T>(log: string, file: string): T[] {
    return this.texts(log, file).map((line) => JSON.parse(line) as T);
  }

  writeTexts(log: string, file: string, texts: readonly string[]): void {
    writeFileSync(this.path(log, file), texts.map((line) => `${line}\n`).join(''));
  }

  write(log: string, file: string, lines: readonly unknown[]): void {
    this.writeTexts(log, file, lines.map((line) => canonicalJson(line as JsonValue))); // prettier-ignore
  }

  /** Edits the text of one line of the tenant's entries. */
  text(seq: number, edit: (line: string) => string): void {
    const texts = this.texts(this.demo, 'entries.jsonl');
    this.writeTexts(this.demo, 'entries.jsonl', texts.with(seq, edit(texts[seq] ?? '')));
  }

  line(seq: number, edit: (line: Line) => void): void {
    this.text(seq, (text) => {
      const line = JSON.parse(text) as Line;
      edit(line);
      return canonicalJson(line as unknown as JsonValue);
    });
  }

  manifest(change: (manifest: Manifest) => void): void {
    const path = join(this.dir, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
    change(manifest);
    writeFileSync(path, `${canonicalJson(manifest)}\n`);
  }

  /** Makes the manifest fit the entries that are there. */
  fitManifest(): void {
    this.manifest(({ logs }) => {
      for (const log of logs) {
        const lines = this.lines<Line>(log.log, 'entries.jsonl');
        [log['entries'], log['head']] = [lines.length, lines.at(-1)?.hash ?? null];
      }
    });
  }

  /** Changes facts of an entry and computes every hash behind it again; receipts go, as nobody can sign them. */
  rechain(log: string, seq: number, change: (facts: Members) => void): void {
    const lines = this.lines<Line>(log, 'entries.jsonl');
    change((lines[seq]?.sections['facts']?.value ?? {}) as Members);
    for (const [index, line] of lines.entries()) {
      if (index < seq) continue;
      const facts = line.sections['facts'];
      if (facts !== undefined) line.leaves[0] = sectionLeaf(facts.salt, canonicalJson(facts.value));
      const prev = lines[index - 1]?.hash;
      seal(line, { body: merkleRoot(line.leaves), ...(prev === undefined ? {} : { prev }) });
    }
    this.write(log, 'entries.jsonl', lines);
    this.fitManifest();
  }

  /** Appends an entry that nobody but the forger wrote, chained as it should be. */
  append(kind: string, call: string, facts: JsonValue, header: Members = {}): void {
    const lines = this.lines<Line>(this.demo, 'entries.jsonl');
    const last = lines.at(-1);
    if (last === undefined) throw new TypeError('a log with entries');
    const salt = 'ab'.repeat(16);
    const absent = sectionLeaf(ABSENT.salt, ABSENT.text);
    const leaves = sectionNames(kind).map((name) => (name === 'facts' ? sectionLeaf(salt, canonicalJson(facts)) : absent)); // prettier-ignore
    const sections = { facts: { salt, value: facts } };
    const line: Line = { hash: '', header: last.header, leaves, receipt: null, sections };
    const wseq = Number((JSON.parse(last.header) as Members)['wseq']) + 1000 + lines.length;
    seal(line, { body: merkleRoot(leaves), call, kind, prev: last.hash, seq: lines.length, wseq, ...header });
    this.write(this.demo, 'entries.jsonl', [...lines, line]);
    this.fitManifest();
  }

  /** Cuts a log, in the manifest too. */
  cut(log: string, length: number): void {
    this.writeTexts(log, 'entries.jsonl', this.texts(log, 'entries.jsonl').slice(0, length));
    this.fitManifest();
  }

  /** The call of an entry. */
  call(seq: number): string {
    const { call } = JSON.parse(this.lines<Line>(this.demo, 'entries.jsonl')[seq]?.header ?? '') as { call: string };
    return call;
  }

  /** Replaces the header of an entry, with its hash. */
  header(seq: number, edit: (header: string) => string): void {
    this.line(seq, (line) => {
      line.header = edit(line.header);
      line.hash = leafHash(line.header);
    });
  }
}

function seal(line: Line, header: Members): void {
  line.header = canonicalJson({ ...(JSON.parse(line.header) as Members), ...header });
  line.hash = leafHash(line.header);
  line.receipt = null;
}
