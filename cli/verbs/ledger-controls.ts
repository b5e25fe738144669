import { CONTROLS, queryText, type Control } from '../../ledger/index.ts';
import { CliError } from '../errors.ts';
import type { Answer, Json, Verb, VerbContext } from '../verb.ts';

function list({ args }: VerbContext): Promise<Answer> {
  const regime = args.text('regime')?.toLowerCase() ?? '';
  const found = CONTROLS.filter((control) => control.regime.toLowerCase().includes(regime) || control.id === regime);
  if (found.length === 0)
    throw new CliError(
      'not_found',
      `Expected a part of a regime's name, such as "GDPR", found "${regime.slice(0, 40)}".`,
    );
  return Promise.resolve({ exit: 0, data: found.map(controlData), text: controlsText(found) });
}

function controlData({ query, inForce, ...control }: Control): Json {
  return { ...control, in_force: inForce, query: queryText(query) };
}

function controlsText(controls: readonly Control[]): string {
  const lines: string[] = [];
  let regime = '';
  for (const control of controls) {
    if (control.regime !== regime)
      lines.push('', `${control.regime} (applies from ${control.inForce})`, `  ${control.source}`);
    regime = control.regime;
    lines.push(`  ${control.id.padEnd(26)}${control.clause}: ${control.asks}`);
    lines.push(`${' '.repeat(28)}Evidence that supports it: ${queryText(control.query)}.`);
  }
  return lines.join('\n').trimStart();
}

export const verbs: readonly Verb[] = [
  {
    path: ['ledger', 'controls'],
    summary: 'Lists clauses of laws and standards with the entries that are evidence for them.',
    options: { regime: { value: 'NAME', help: 'Only regimes whose name holds this, or one control by its id.' } },
    example: 'countersign ledger controls --regime gdpr',
    details:
      'An entry is evidence that supports a judgement; whether a clause is met is for people to judge.\n' +
      'Answer one with: countersign ledger export --control ID --tenant ID --out DIR',
    run: list,
  },
];
