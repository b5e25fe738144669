import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openBase } from '../../../policies/review/sides.ts';
import { findTools, required, withFolder } from '../toolchain.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);

const RULES = (message: string): string =>
  `package countersign.main\n\ndecision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": "${message}"}\n`;

run.each(['', 'policies/own'])(
  'a base is a git revision of the head, in the folder "%s" of its repository',
  async (path) => {
    await withFolder(async (root) => {
      const head = join(root, path);
      const git = (...args: string[]): void => {
        const as = ['-c', 'user.name=A', '-c', 'user.email=a@example.com', '-c', 'commit.gpgsign=false'];
        execFileSync('git', [...as, ...args], { cwd: root, stdio: 'pipe' });
      };
      git('init', '--quiet');
      await mkdir(head, { recursive: true });
      await writeFile(join(head, 'main.rego'), RULES('before'));
      git('add', '.');
      git('commit', '--quiet', '--message', 'before');
      await writeFile(join(head, 'main.rego'), RULES('after'));
      await withFolder(async (work) => {
        const base = await openBase('HEAD', head, work, 'own', required(tools));
        expect(base.files.map(({ path: file, source }) => [file, source])).toEqual([['main.rego', RULES('before')]]);
      });
      await withFolder((work) =>
        expect(openBase('nowhere', head, work, 'own', required(tools))).rejects.toThrow(
          `a git revision that has ${head}, found "nowhere"`,
        ),
      );
    });
  },
);
