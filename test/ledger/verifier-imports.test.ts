import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, test } from 'vitest';

/** What a module loads when it runs: imports of types alone are gone by then. */
function loads(path: string): string[] {
  const { module } = parseSync(path, readFileSync(path, 'utf8'));
  const imports = module.staticImports
    .filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
    .map(({ moduleRequest }) => moduleRequest.value);
  const exports = module.staticExports
    .flatMap(({ entries }) => entries)
    .filter(({ isType }) => !isType)
    .flatMap(({ moduleRequest }) => moduleRequest?.value ?? []);
  expect([path, module.dynamicImports.length]).toEqual([path, 0]);
  return [...imports, ...exports];
}

/** Every module behind one, and every package of Node or others. */
function graphOf(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set([entry]);
  const packages = new Set<string>();
  for (const file of files) {
    for (const specifier of loads(file)) {
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else packages.add(specifier);
    }
  }
  return { files, packages };
}

test('the verifier needs nothing but hashes and signatures of Node', () => {
  const { files, packages } = graphOf('ledger/verify/bundle.ts');
  expect([...packages]).toEqual(['node:crypto']);
  expect(files.has('ledger/tree/proof.ts')).toBe(true);
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    expect([file, /\bfetch\(|\bprocess\.|\bsql`|globalThis/.test(text)]).toEqual([file, false]);
  }
});

test('and to read a folder, files', () => {
  expect([...graphOf('ledger/verify/folder.ts').packages].toSorted()).toEqual([
    'node:crypto',
    'node:fs',
    'node:fs/promises',
    'node:path',
  ]);
});

test('the page needs nothing at all', () => {
  const { files, packages } = graphOf('ledger/page/dom/main.ts');
  // The bundler puts the page's own functions in the place of node:crypto.
  expect([...packages]).toEqual(['node:crypto']);
  expect([...graphOf('ledger/page/node-crypto.ts').packages]).toEqual([]);
  expect(files.has('ledger/verify/bundle.ts')).toBe(true);
});
