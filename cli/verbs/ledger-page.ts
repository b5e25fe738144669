import { copyFileSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CliError } from '../errors.ts';
import type { Answer, Verb, VerbContext } from '../verb.ts';

/** Made with the compiled sources (cli/bootstrap/page.js). */
const PAGE = fileURLToPath(new URL('../../ledger/page/verifier.html', import.meta.url));

function write({ args }: VerbContext): Promise<Answer> {
  const out = args.required('out');
  try {
    copyFileSync(PAGE, resolve(out), constants.COPYFILE_EXCL);
  } catch (cause) {
    throw new CliError('usage', `--out: expected a path where a new file can be written, found ${out}.`, { cause });
  }
  return Promise.resolve({ exit: 0, data: { file: resolve(out) }, text: `Wrote the verifier to ${out}.` });
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'page'],
    summary: 'Writes the verifier as one HTML file that works offline in a browser.',
    options: { out: { value: 'FILE', help: 'New file.', required: true } },
    example: 'countersign ledger page --out verifier.html',
    details:
      'It checks an exported folder as `ledger verify DIR` does, loads nothing and sends nothing. Give it to whoever has no Node;\n' +
      'a copy that comes with an export proves nothing.',
    run: write,
  },
];
