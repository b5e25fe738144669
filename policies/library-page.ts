import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { readCard } from './cards.ts';
import type { PolicyCard } from './cards.ts';
import { controlsFile, packsFile } from './controls.ts';
import type { Controls, Packs } from './controls.ts';

/** docs/policy-library.md, made from the METADATA of the Rego files and from policies/controls. */

/** Facts of the contract that nothing fills yet; rules on them stay silent until something does. */
export const UNFILLED = ['claimed', 'data', 'purpose', 'session', 'tools.call', 'findings of kind injection'] as const;

const BUNDLES = ['baseline', 'library', 'agents'] as const;

/** The cards of every shipped policy, in the order of the files. @param root the project's folder */
export function policyCards(root: string): PolicyCard[] {
  return BUNDLES.flatMap((bundle) => {
    const folder = join(root, 'policies', 'rego', bundle);
    const files = readdirSync(folder).filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'));
    return files.toSorted().flatMap((file) => readCard(bundle, file, readFileSync(join(folder, file), 'utf8')) ?? []);
  });
}

/** Which clause is served by which rules. @throws ZodError when the file has another shape */
export function readControls(root: string): Controls {
  return controlsFile.parse(readJson(root, 'controls.json'));
}

/** Ready-made parameters. @throws ZodError when the file has another shape */
export function readPacks(root: string): Packs {
  return packsFile.parse(readJson(root, 'packs.json'));
}

function readJson(root: string, name: string): unknown {
  return JSON.parse(readFileSync(join(root, 'policies', 'controls', name), 'utf8'));
}

/** The page as it stands in docs/policy-library.md. */
export function policyLibraryPage(root: string): string {
  const cards = policyCards(root);
  const numbered = cards.filter((card) => card.policy !== null).toSorted((a, b) => (a.policy ?? 0) - (b.policy ?? 0));
  const sections = [
    INTRODUCTION,
    overview(numbered),
    '## The policies\n',
    ...numbered.map(cardText),
    '## Beside them\n',
    ...cards.filter((card) => card.policy === null).map(cardText),
    packsText(readPacks(root)),
    controlsText(readControls(root)),
  ];
  return `${sections.join('\n').trim()}\n`;
}

const INTRODUCTION = `# The policy library

This page is generated (\`npm run docs\`) from \`policies/rego\` and \`policies/controls\`.

Three bundles come with the product. \`baseline\` decides every call. \`library\` has the rules of laws and standards, \`agents\`
those on tools, sessions, money and delegation; both only add restrictions to the baseline:

\`\`\`yaml
tenants:
  - id: clinic
    policies: [baseline, library]
    frameworks: [hipaa, gdpr]
    parameters:
      special_categories: { purposes: [treatment] }
      hours: { days: [monday, tuesday, wednesday, thursday, friday], from: 6, to: 18 }
\`\`\`

A policy of these two does nothing until a framework or a parameter of the tenant turns it on. A misspelt parameter stops
the start, and a framework the library does not know stops the calls, instead of silently restricting nothing. A rule's
objection can be lifted by a waiver, unless its severity is critical. [configuration.md](configuration.md) has the parameters.

Facts marked with ° are part of the policy input, but nothing fills them yet: they come with tool calls, sessions and
declared purposes. What a tenant declares under \`use\` stands in for a declared purpose.
`;

function overview(cards: readonly PolicyCard[]): string {
  const rows = cards.map(({ policy, title, bundle, on, rules }) => {
    const names = rules.map(({ rule }) => `\`${rule}\``).join(', ');
    return `| ${String(policy)} | ${title} | \`${bundle}\` | ${on} | ${names} |`;
  });
  return ['| | policy | bundle | on with | rules |', '|---|---|---|---|---|', ...rows, ''].join('\n');
}

function cardText({ policy, title, bundle, description, on, needs, rules }: PolicyCard): string {
  const facts = needs.length === 0 ? 'the tenant alone' : needs.map(factText).join(', ');
  const rows = rules.map(
    (rule) => `| \`${rule.rule}\` | ${rule.title} | ${rule.kind} | ${rule.severity} | ${rule.controls.join(', ')} |`,
  );
  return [
    `### ${policy === null ? '' : `${String(policy)}. `}${title}\n`,
    `${description.trim()}\n`,
    `Bundle \`${bundle}\`. On: ${on}. Decides on: ${facts}.\n`,
    '| rule | what it says | | severity | controls |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function factText(fact: string): string {
  const unfilled = UNFILLED.some((name) => fact === name || fact.startsWith(`${name}.`)) || fact.includes('pinned');
  return `${fact}${unfilled ? '°' : ''}`;
}

function packsText(packs: Packs): string {
  const texts = Object.values(packs).map(({ title, ...tenant }) => {
    const yaml = stringify({ tenants: [{ id: 'demo', ...tenant }] }, { flowCollectionPadding: true }).trim();
    return `### ${title}\n\n\`\`\`yaml\n${yaml}\n\`\`\`\n`;
  });
  return `## Packs\n\nEverything a top ten asks of a gateway, to copy and to narrow: lists that are empty here let nothing pass.\n\n${texts.join('\n')}`;
}

function controlsText({ as_of: asOf, frameworks }: Controls): string {
  const texts = Object.entries(frameworks).map(([id, { title, source, controls }]) => {
    const rows = Object.entries(controls).map(([control, entry]) => {
      const rules = entry.outside ?? entry.rules.map((rule) => `\`${rule}\``).join(', ');
      const date = `${entry.in_force}${entry.note === undefined ? '' : `: ${entry.note}`}`;
      return `| ${control} | ${entry.clause}: ${entry.title} | ${date} | ${rules} |`;
    });
    const head = ['| control | clause | from | rules |', '|---|---|---|---|'];
    return [`### ${title} (\`${id}\`)\n`, `<${source}>\n`, ...head, ...rows, ''].join('\n');
  });
  return `## Controls

Which rule serves which clause, as \`policies/controls/controls.json\` has it; last edited ${asOf}. Serving a clause is not
complying with it, and dates move: look at the source before relying on one. A standard's date is the day it was published.

${texts.join('\n')}`;
}
