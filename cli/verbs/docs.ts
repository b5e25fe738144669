import { mkdtempSync, readFileSync, rmSync, writeFileSync, mkdirSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { configurationReference } from '../../gateway/config.ts';
import { migrate, schemaDump } from '../../migrations/index.ts';
import { policyLibraryPage, policySchemas } from '../../policies/index.ts';
import { accuracyPage } from '../../redaction/index.ts';
import { connect } from '../embedded/connection.ts';
import { startEmbedded } from '../embedded/embedded.ts';
import { errno } from '../errors.ts';
import { helpPage } from '../help.ts';
import type { Answer, Verb, VerbContext } from '../verb.ts';

async function run({ args, project, out, verbs: all }: VerbContext): Promise<Answer> {
  const files = await generate(project.root, await all(), out.note);
  const stale = [...files]
    .filter(([name, content]) => read(join(project.root, name)) !== content)
    .map(([name]) => name);
  const check = args.flag('check');
  if (!check) for (const name of stale) write(join(project.root, name), files.get(name) ?? '');
  const done = check ? 'out of date' : 'written';
  const text =
    stale.length === 0
      ? `${String(files.size)} generated files are current.`
      : stale.map((name) => `${name}: ${done}`).join('\n');
  return { exit: check && stale.length > 0 ? 1 : 0, data: { files: [...files.keys()], changed: stale }, text };
}

/** Every file in the repository that is made from code, with the content it should have. */
async function generate(
  root: string,
  all: readonly Verb[],
  log: (line: string) => void,
): Promise<ReadonlyMap<string, string>> {
  const files = new Map([
    ['docs/accuracy.md', accuracyPage()],
    ['docs/configuration.md', configurationReference()],
    ['docs/cli.md', helpPage(all)],
    ['docs/policy-library.md', policyLibraryPage(root)],
    ['migrations/schema.sql', await dumpSchema(root, log)],
  ]);
  for (const [name, schema] of Object.entries(policySchemas())) {
    files.set(`policies/schema/${name}`, `${JSON.stringify(schema, null, 2)}\n`);
  }
  return files;
}

/** The schema as an empty database gets it, from a server made for this and thrown away. */
async function dumpSchema(root: string, log: (line: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-docs-'));
  // As root the server runs under another account, which has to be able to enter.
  if (process.getuid?.() === 0) chmodSync(folder, 0o711);
  const database = await startEmbedded({ dataRoot: folder, log });
  const sql = connect(database.superuser);
  try {
    await migrate(sql, { dir: join(root, 'migrations') });
    return await schemaDump(sql);
  } finally {
    await sql.end({ timeout: 5 });
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errno(error) === 'ENOENT') return null;
    throw error;
  }
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

export const verbs: readonly Verb[] = [
  {
    path: ['docs'],
    summary: 'Writes the generated documents and golden files of the repository anew.',
    options: { check: { help: 'Write nothing; exit code 1 when a file is out of date.' } },
    example: 'countersign docs --check',
    run,
  },
];
