/** The architecture as a test: each message names the file, the line and the rule that was broken. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../gateway/errors.ts';
import { directionProblems, importCycles, SIDE_DOORS, type Problem } from './tidy/architecture.ts';
import { undocumentedExports } from './tidy/exports.ts';
import { COMPOSERS, LEAVES, listFiles, parseSource, readSource } from './tidy/source.ts';
import { commonProblems, nameProblems, productProblems, testProblems } from './tidy/style.ts';

/** Files that may break a size rule, each with its reason. Tables only: logic is split instead. */
const EXEMPT: ReadonlyMap<string, string> = new Map();

const paths = listFiles([...LEAVES, ...COMPOSERS, 'test']);
const sources = paths.filter((path) => path.endsWith('.ts')).map(readSource);
const product = sources.filter(({ path }) => !path.startsWith('test/'));
const byPath = new Map(sources.map((source) => [source.path, source]));

const lines = (problems: readonly Problem[]): string[] =>
  problems.map(({ path, line, rule }) => `${path}:${line} ${rule}`);

describe('architecture', () => {
  test('imports follow the direction of the folders', () => {
    expect(lines(product.flatMap(directionProblems))).toEqual([]);
  });

  test('no file imports itself through others', () => {
    expect(importCycles(product)).toEqual([]);
  });

  test('the bootstrap runs before anything is installed, so it imports only Node itself', () => {
    const scripts = paths.filter((path) => path.startsWith('cli/') && path.endsWith('.js')).map(readSource);
    const imports = scripts.flatMap(({ program }) => program.body.filter((node) => node.type === 'ImportDeclaration'));
    expect(imports.map((node) => node.source.value).filter((specifier) => !/^(node:|\.)/.test(specifier))).toEqual([]);
  });

  test.each(LEAVES.filter((leaf) => byPath.has(`${leaf}/index.ts`)))(
    'every public name of %s is documented',
    (leaf) => {
      const index = byPath.get(`${leaf}/index.ts`);
      expect(index === undefined ? [] : lines(undocumentedExports(index, byPath))).toEqual([]);
    },
  );

  test('side doors exist and have a reason', () => {
    for (const [path, reason] of SIDE_DOORS) expect([byPath.has(path), reason.length > 20]).toEqual([true, true]);
  });
});

describe('style', () => {
  test('names say what is inside, folders are shallow', () => {
    expect(lines(paths.flatMap(nameProblems))).toEqual([]);
  });

  test('no any, enum, `!`, default export, unfinished note or unexplained suppression', () => {
    expect(lines(sources.flatMap(commonProblems))).toEqual([]);
  });

  test('files and functions are small, errors have codes, only the cli prints', () => {
    expect(lines(product.filter(({ path }) => !EXEMPT.has(path)).flatMap(productProblems))).toEqual([]);
  });

  test('exemptions are still needed', () => {
    const idle = [...EXEMPT.keys()].filter(
      (path) => product.filter((source) => source.path === path).flatMap(productProblems).length === 0,
    );
    expect(idle).toEqual([]);
  });

  test('no test is skipped or focused', () => {
    expect(lines(sources.filter(({ path }) => path.endsWith('.test.ts')).flatMap(testProblems))).toEqual([]);
  });
});

describe('error vocabulary', () => {
  const rows = [
    ...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z_]+)` \| (\d{3}) \| (yes|no) \| (.+) \| (.+) \|$/gm),
  ];

  test('docs/errors.md lists exactly the codes of the table, with their status and retry', () => {
    const documented = rows.map(([, code, status, retry]) => ({
      code,
      status: Number(status),
      retry: retry === 'yes',
    }));
    expect(documented).toEqual(Object.entries(ERRORS).map(([code, { status, retry }]) => ({ code, status, retry })));
  });

  test('every code is used', () => {
    const gateway = product.filter(({ path }) => path.startsWith('gateway/') && path !== 'gateway/errors.ts');
    const unused = Object.keys(ERRORS).filter((code) => !gateway.some(({ text }) => text.includes(`'${code}'`)));
    expect(unused).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const rulesOf = (text: string, path = 'ledger/x.ts'): string[] => {
    const source = parseSource(path, text);
    return [directionProblems, commonProblems, productProblems, testProblems].flatMap((check) =>
      check(source).map(({ line, rule }) => `${line} ${rule.split(':')[0] ?? ''}`),
    );
  };

  test.each([
    ["import type { A } from '../gateway/a.ts';", ['1 imports ../gateway/a.ts']],
    ["\nexport { a } from '../costs/index.ts';", ['2 imports ../costs/index.ts']],
    ["const a = import('../cli/a.ts');", ['1 imports ../cli/a.ts']],
    ["let a: import('../redaction/index.ts').A;", ['1 imports ../redaction/index.ts']],
    ["import { a } from './a.ts';\nimport { b } from 'postgres';", []],
    ["import { a } from '../test/support/a.ts';", ['1 imports ../test/support/a.ts']],
    ['let a: any;', ['1 `any`']],
    ['const any = "any"; // any', []],
    ['a!.b();', ['1 non-null `!`']],
    ['class A { a!: string }', ['1 definite `!`']],
    ['enum A { b }', ['1 enum']],
    ['export default 1;', ['1 default export']],
    ["throw new Error('x');", ['1 bare Error']],
    ["throw new LedgerError('x');", []],
    ['console.log(1);', ['1 console']],
    ['// TODO later', ['1 TODO']],
    ["const todo = 'TODO';", []],
    ['// @ts-ignore\nconst a = 1;', ['1 @ts-ignore without a reason']],
    ['// oxlint-disable-next-line no-x -- the driver needs it\nconst a = 1;', []],
    ["test.skip('x', () => {});", ['1 .skip']],
    ["describe.only.each([1])('x', () => {});", ['1 .only']],
    ["test.skipIf(noOpa)('x', () => {});", []],
    [`function a() {${'\n'.repeat(70)}}`, ['1 function of 71 lines, at most 70']],
    [`const a = () => {${'\n'.repeat(69)}};`, []],
    ['\n'.repeat(301), ['1 301 lines, at most 300']],
  ])('%j', (text, expected) => {
    expect(rulesOf(text)).toEqual(expected);
  });

  test('composers', () => {
    expect(rulesOf("import { a } from '../../ledger/index.ts';", 'gateway/pipeline/x.ts')).toEqual([]);
    expect(rulesOf("import { a } from '../../ledger/seal.ts';", 'gateway/pipeline/x.ts')).toEqual([
      '1 imports ../../ledger/seal.ts',
    ]);
    expect(rulesOf("import { a } from '../gateway/main.ts'; console.log(a);", 'cli/x.ts')).toEqual([]);
    expect(rulesOf("import { a } from '../cli/main.ts';", 'gateway/x.ts')).toEqual(['1 imports ../cli/main.ts']);
  });

  test('names and cycles', () => {
    expect(
      ['gateway/utils.ts', 'ledger/lib/x.ts', 'test/Helpers/x.ts', 'a/b/c/d/e.ts'].flatMap(nameProblems),
    ).toHaveLength(4);
    const ring = [
      parseSource('a/a.ts', "import './b.ts';"),
      parseSource('a/b.ts', "import './c.ts';"),
      parseSource('a/c.ts', "import './a.ts';"),
    ];
    expect(importCycles(ring)).toEqual(['a/a.ts -> a/b.ts -> a/c.ts -> a/a.ts']);
  });
});
