import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BootstrapError } from './error.js';

/** Where the verifier's page is, below the compiled sources. */
export const PAGE = join('ledger', 'page', 'verifier.html');

/**
 * Puts the verifier and all it needs into one file that loads nothing: one script and one style, both named by their hashes in the
 * page's own policy. The same sources give the same bytes.
 * @param {string} root
 * @param {string} file
 */
export async function buildPage(root, file) {
  const folder = join(root, 'ledger', 'page');
  const script = await bundle(root, join(folder, 'dom', 'main.ts'), join(folder, 'node-crypto.ts'));
  const style = readFileSync(join(folder, 'dom', 'page.css'), 'utf8').trim();
  const parts = new Map([
    ['<script src="main.ts"></script>', `<script>${script}</script>`],
    ['<link rel="stylesheet" href="page.css" />', `<style>${style}</style>`],
    ['{{script-hash}}', sourceHash(script)],
    ['{{style-hash}}', sourceHash(style)],
  ]);
  let page = readFileSync(join(folder, 'dom', 'page.html'), 'utf8');
  for (const [place, part] of parts) {
    if (page.split(place).length !== 2)
      throw new BootstrapError(`Expected ${place} once in page.html, found it otherwise.`);
    page = page.split(place).join(part);
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, page);
}

async function bundle(root, input, crypto) {
  if (!existsSync(join(root, 'node_modules', 'rolldown'))) {
    throw new BootstrapError(
      'Expected the bundler rolldown in node_modules, found none. Run "npm ci --include=dev", then start again.',
    );
  }
  const { rolldown } = await import('rolldown');
  const build = await rolldown({
    cwd: root,
    input,
    platform: 'browser',
    resolve: { alias: { 'node:crypto': crypto } },
    // What signs and seals is in the same files as what checks; it is left out, and so is what it would need.
    shimMissingExports: true,
    treeshake: { moduleSideEffects: [{ test: /install-buffer|main\.ts/, sideEffects: true }] },
    onLog: (level, { code, message }) => {
      if (level === 'warn' && code !== 'SHIMMED_EXPORT')
        throw new BootstrapError(`The page cannot be built: ${message}`);
    },
  });
  const { output } = await build.generate({ format: 'iife', comments: false });
  await build.close();
  // A script inside a page ends at its first end tag, wherever that stands.
  return output[0].code.trim().replaceAll('</script', '<\\/script');
}

/** As a Content-Security-Policy names a source. */
function sourceHash(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
