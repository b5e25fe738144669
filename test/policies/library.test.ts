import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { NOTHING_CLAIMED } from '../../gateway/policy-facts.ts';
import { readCard } from '../../policies/cards.ts';
import { controlsFile } from '../../policies/controls.ts';
import { policyCards, policyLibraryPage, readControls, UNFILLED } from '../../policies/library-page.ts';
import { createPolicyInput } from '../../policies/index.ts';
import { switchDecision } from '../../policies/switches.ts';
import { requestInput } from './facts.ts';
import { ROOT } from './toolchain.ts';

/** The shipped policies as a library: every rule has a card, a clause it serves, and cases. */
const cards = policyCards(ROOT);
const controls = readControls(ROOT);

function sortedPairs(pairs: readonly (readonly [string, string])[]): string[] {
  return [...new Set(pairs.map(([control, rule]) => `${control} ${rule}`))].toSorted();
}

describe('controls', () => {
  /** Kill switches decide outside of Rego; their reasons name controls all the same. */
  const switched = (['tenant', 'agent', 'model', 'tool'] as const).flatMap((kind) => {
    const target = { tenant: '', agent: 'bot', model: 'gpt-4o-mini', tool: 'shell' }[kind];
    const input = createPolicyInput({
      ...requestInput(),
      agent: { id: 'bot', name: null, version: null, attested: false, delegation: [] },
      tools: { offered: [], call: { name: 'shell', server: null, args: {}, args_digest: 'd', targets: [] } },
      kill_switches: [{ id: 'k', kind, target }],
    });
    return switchDecision(input)?.reasons ?? [];
  });
  const rules = [...cards.flatMap((card) => card.rules), ...switched];

  test('the mapping and the rules say the same, both ways', () => {
    expect(switched).toHaveLength(4);
    const mapped = Object.values(controls.frameworks).flatMap((framework) =>
      Object.entries(framework.controls).flatMap(([control, entry]) =>
        entry.rules.map((rule) => [control, rule] as const),
      ),
    );
    const named = rules.flatMap((card) => card.controls.map((control) => [control, card.rule] as const));
    expect(sortedPairs(mapped)).toEqual(sortedPairs(named));
  });

  test('a control lies in the framework its id names, and a framework is one the library knows', () => {
    for (const [framework, { controls: entries }] of Object.entries(controls.frameworks)) {
      expect(Object.keys(entries).filter((id) => !id.startsWith(`${framework}:`))).toEqual([]);
    }
    const source = readFileSync(join(ROOT, 'policies/rego/library/main.rego'), 'utf8');
    const known = /^frameworks := \{(.*?)\}/ms.exec(source)?.[1]?.match(/\w+/g) ?? [];
    expect(known.toSorted()).toEqual(Object.keys(controls.frameworks).toSorted());
  });

  test('a control without rules says why', () => {
    const [entry] = Object.values(controls.frameworks['gdpr']?.controls ?? {});
    const file = (change: object): object => ({
      as_of: '2026-01-01',
      frameworks: { f: { title: 'F', source: 'https://example.com', controls: { 'f:1': { ...entry, ...change } } } },
    });
    expect(controlsFile.safeParse(file({})).success).toBe(true);
    expect(controlsFile.safeParse(file({ rules: [] })).success).toBe(false);
    expect(controlsFile.safeParse(file({ rules: [], outside: 'It cannot.' })).success).toBe(true);
    expect(controlsFile.safeParse(file({ outside: 'It cannot.' })).success).toBe(false);
    expect(controlsFile.safeParse(file({ in_force: 'soon' })).success).toBe(false);
  });
});

describe('cards', () => {
  test('there are twenty-five policies, and rules have one name each', () => {
    const numbers = new Set(cards.flatMap((card) => card.policy ?? []));
    expect([...numbers].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
    const names = cards.flatMap((card) => card.rules.map(({ rule }) => rule));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('docs/policy-library.md is current', () => {
    const page = readFileSync(join(ROOT, 'docs/policy-library.md'), 'utf8');
    expect(page === policyLibraryPage(ROOT), 'it differs: run `npm run docs`').toBe(true);
  });

  test('the facts it marks as not filled are those the gateway leaves empty', () => {
    expect([...UNFILLED]).toEqual(expect.arrayContaining(Object.keys(NOTHING_CLAIMED)));
  });

  const head =
    '# METADATA\n# title: T\n# description: D\n# custom:\n#   on: always\n#   needs: []\npackage countersign.rules.a\n\n';
  const rule = (custom: string): string =>
    `# METADATA\n# title: T\n# description: D\n# custom:\n${custom}deny contains reason if {\n\tinput.point == "x"\n}\n`;
  const full = '#   rule: a.b\n#   severity: low\n#   controls: ["x:1"]\n';

  test('a full annotation gives a card, a file without rules none', () => {
    const wanted = { rule: 'a.b', title: 'T', kind: 'refuses', severity: 'low', controls: ['x:1'] };
    expect(readCard('library', 'a.rego', head + rule(full))).toMatchObject({ title: 'T', rules: [wanted] });
    expect(readCard('library', 'a.rego', `${head}b := 1\n`)).toBeNull();
  });

  test.each([
    ['no annotation', `${head}deny contains reason if {\n\treason := 1\n}\n`],
    ['no controls', head + rule('#   rule: a.b\n#   severity: low\n#   controls: []\n')],
    ['another severity', head + rule(full.replace('low', 'mild'))],
    ['another name', head + rule(full.replace('a.b', 'A'))],
    ['no card of the package', rule(full)],
  ])('a rule with %s is refused', (_what, source) => {
    expect(() => readCard('library', 'a.rego', source)).toThrow(/a\.rego: expected title/);
  });
});

describe('cases', () => {
  const folder = join(ROOT, 'test/policies/cases');
  interface Case {
    readonly effect: string;
    readonly reasons?: readonly string[];
    readonly obligations?: readonly unknown[];
  }
  const cases = new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => [name, parse(readFileSync(join(folder, name), 'utf8')) as Case[]]),
  );

  test('every rule that refuses or asks decides one', () => {
    const decided = new Set([...cases.values()].flat().flatMap((one) => one.reasons ?? []));
    const rules = cards.flatMap((card) => card.rules).filter(({ kind }) => kind !== 'obliges');
    expect(rules.map((one) => one.rule).filter((name) => !decided.has(name))).toEqual([]);
  });

  test.each(
    cards.filter(({ bundle }) => bundle !== 'baseline').map((card) => [card.rules[0]?.rule ?? '', card] as const),
  )('the policy of %s lets one call go on and does not let another go on as it is', (name, { bundle }) => {
    const subject = name.startsWith(`${bundle}.`) ? 'main' : name.split('.')[0];
    const own = cases.get(`${bundle}.${subject ?? ''}.yaml`) ?? [];
    expect(own.some(({ effect }) => effect === 'allow')).toBe(true);
    expect(own.some(({ effect, obligations = [] }) => effect !== 'allow' || obligations.length > 0)).toBe(true);
  });
});
