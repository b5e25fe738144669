/**
 * Expressions that V8 matches by trying: each is proven to take linear time by a checker, or named here with what bounds its
 * text. One that does not can hold up every call for minutes with a text of a kilobyte.
 */
import { Visitor } from 'oxc-parser';
import { checkSync } from 'recheck';
import { expect, test } from 'vitest';
import { COMPOSERS, LEAVES, listFiles, readSource } from './tidy/source.ts';

/** An expression, or the file of several → why the time it can take is bounded. */
const BOUNDED: ReadonlyMap<string, string> = new Map([
  [String.raw`\/+$`, 'addresses of the configuration'],
  [String.raw`\B(?=(\d{3})+$)`, 'digits of a number'],
  ['0+$', 'digits of a fraction'],
  [String.raw`pre-existing shared memory|lock file .* already exists`, 'lines of our own PostgreSQL'],
  [String.raw`\s+\+\s+`, 'functions in recorded cases, read from a file on the command line'],
  [String.raw`\(\?(?:<!|!|<=|=)(?:\[(?:\\.|[^\]])*\]|\\.|[^()[\]])*\)`, 'the expressions of our own recognizers'],
  [String.raw`\(\?<?!(?:\[(?:\\.|[^\]])*\]|[^()[\]])*\)`, 'the expressions of our own recognizers'],
  [String.raw`^ +at (?:.*\()?(?:file:\/\/)?([^()]*:\d+):\d+\)?$`, 'lines of at most 512 characters'],
  [String.raw`^(?!$)[^*]*\*?[^*]*$`, 'names of at most 256 characters in parameters'],
  [String.raw`[\0 ]+$`, 'twelve bytes of the header of an archive'],
  [String.raw`\..*$`, 'a file name of the command line'],
  [String.raw`[0-9A-Za-z@+/_=.-]{2,64}[ -]?$`, 'the end of a chain of adjacent texts'],
  [String.raw`(\d+)([nacz])`, 'the structures of our own list of IBANs'],
  ['redaction/presidio/tokens.ts', 'words of at most 512 characters'],
  [String.raw`^(.*?)(\[(?:\\.|[^\]\\])+\])\{([0-9]+),([0-9]+)\}\)$`, 'the expressions of our own recognizers'],
  // Look-around and back references, of which the theory knows nothing.
  [String.raw`^0+(?=.)`, 'one way through zeros, tried at the beginning alone'],
  ['ledger/export/manifest.ts', 'one look ahead from the beginning, then parts of at most 100 characters'],
  ['policies/compiler/refused.ts', 'lines of a policy being built'],
  ['policies/wasm/builtins/layout.ts', 'a digit behind the last zero or nine: one step'],
  [String.raw`^(?:[eE](?=[\d+-])[+-]?|[\d.+-])*`, 'each character has one way'],
  [String.raw`\/[0-9]+(?=\/|$)`, 'places in a document; a run of digits begins behind one slash'],
  [String.raw`^(f?)(["'])([^"'\\]*)\2$`, 'functions in recorded cases, read from a file on the command line'],
  [String.raw`^(\d)\1+$`, 'nine digits'],
  [
    'redaction/recognizers/secrets/assigned.ts',
    'each character has one way: letters, separators and whole runs of digits',
  ],
]);

interface Expression {
  readonly place: string;
  readonly source: string;
  readonly flags: string;
}

function literals(): Expression[] {
  const files = listFiles([...LEAVES, ...COMPOSERS]).filter((path) => path.endsWith('.ts'));
  return files.flatMap((path) => {
    const file = readSource(path);
    const found: Expression[] = [];
    new Visitor({
      Literal: (node) => {
        if (!('regex' in node)) return;
        found.push({
          place: `${path}:${String(file.lineAt(node.start))}`,
          source: node.regex.pattern,
          flags: node.regex.flags,
        });
      },
    }).visit(file.program);
    return found;
  });
}

/** What our own modules compile when they are loaded, and for every recognizer of both profiles. */
async function compiled(): Promise<Expression[]> {
  const made: Expression[] = [];
  const original = globalThis.RegExp;
  globalThis.RegExp = new Proxy(original, {
    construct: (target, [pattern, flags]: [string | RegExp, string?]) => {
      const expression = new target(pattern, flags);
      const caller = new Error().stack?.split('\n')[2] ?? '';
      if (!caller.includes('node_modules')) made.push({ place: caller.trim(), ...partsOf(expression) });
      return expression;
    },
  });
  try {
    await import('../redaction/index.ts');
    const { RECOGNIZERS } = await import('../redaction/presidio/registry.ts');
    const { compileMatcher } = await import('../redaction/presidio/expression.ts');
    for (const { entity, patterns, isCaseSensitive } of RECOGNIZERS) {
      for (const { expression } of patterns)
        made.push({ place: entity, ...partsOf(compileMatcher(expression, isCaseSensitive)) });
    }
  } finally {
    globalThis.RegExp = original;
  }
  return made;
}

function partsOf({ source, flags }: RegExp): { source: string; flags: string } {
  return { source, flags };
}

/** Null when it is proven linear. */
function problemOf({ place, source, flags }: Expression): string | null {
  // By theory alone: what is measured would depend on the machine. None of the flags left out changes how one match is looked for.
  const result = checkSync(source, flags.replaceAll(/[dgv]/g, ''), { checker: 'automaton', timeout: null });
  if (result.status === 'safe') return null;
  const found =
    result.status === 'vulnerable' ? `${result.complexity.summary}, ${result.attack.pattern}` : result.error.kind;
  return `${place}: /${source}/${flags} ${found}`;
}

test('every expression takes linear time, or its text is bounded', { timeout: 300_000 }, async () => {
  const all = [...literals(), ...(await compiled())];
  const distinct = [...new Map(all.map((one) => [`${one.source}/${one.flags}`, one])).values()];
  expect(distinct.length).toBeGreaterThan(400);
  const isNamed = (name: string, { source, place }: Expression): boolean => source === name || place.includes(name);
  const rest = distinct.filter((one) => ![...BOUNDED.keys()].some((name) => isNamed(name, one)));
  expect(rest.flatMap((one) => problemOf(one) ?? [])).toEqual([]);
  expect([...BOUNDED.keys()].filter((name) => !all.some((one) => isNamed(name, one)))).toEqual([]);
});

test('the check finds what takes exponential or quadratic time', () => {
  expect(problemOf({ place: '', source: '^(a+)+$', flags: '' })).toContain('exponential');
  expect(problemOf({ place: '', source: String.raw`\s+$`, flags: '' })).toContain('polynomial');
});
