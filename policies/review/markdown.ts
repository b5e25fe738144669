import type { Review, ReplayPart } from './review.ts';
import type { RuleChange } from './semantic.ts';
import type { TallyRow } from './tally.ts';
import { count, thousands } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import { headline, historySentence, lineDiff, moneyOf, witnessText } from './words.ts';

/** The report as a comment of a pull request: what matters first, details folded. */
export function markdownReport(review: Review, verdict: Verdict): string {
  const { base, head, name } = review;
  return (
    [
      `## Policy review: ${text(name)}`,
      `**${text(headline(review))}**`,
      verdict.attention.length + verdict.unknown.length === 0
        ? 'Nothing needs attention.'
        : [
            ...verdict.attention.map((line) => `- ⚠️ ${text(line)}`),
            ...verdict.unknown.map((line) => `- ❔ ${text(line)}`),
          ].join('\n'),
      `Base ${code(base.label)} (${code(base.identity.digest.slice(0, 16))}) → head ${code(head.label)} (${code(head.identity.digest.slice(0, 16))})${base.identity.digest === head.identity.digest ? ': the compiled bundles are the same bytes' : ''}.`,
      '### Rules',
      ...rules(review),
      '### Tests',
      ...tests(review),
      '### Recorded calls',
      ...('notDone' in review.replay ? [`Replay: not done, ${text(review.replay.notDone)}.`] : replay(review.replay)),
      '### Generated inputs',
      ...generated(review),
      '### Mutants',
      ...mutants(review),
    ].join('\n\n') + '\n'
  );
}

function rules({ rules: { changes, unchanged, rewritten }, data }: Review): string[] {
  const lines = changes.map(changeText);
  const rest = `${count(unchanged, 'rule')} unchanged${rewritten === 0 ? '' : `, ${thousands(rewritten)} of them only written another way`}.`;
  return [...lines, ...(data.length === 0 ? [] : [`Data: ${data.map(code).join(', ')} differ.`]), rest];
}

function changeText({ kind, name, about: { title, severity, controls }, before, after }: RuleChange): string {
  const about = [title, severity, ...controls]
    .filter((part) => part !== null)
    .map(text)
    .join(' · ');
  const diff = lineDiff(before?.text ?? '', after?.text ?? '').map(({ sign, text: line }) => `${sign}${line}`);
  const fence = '`'.repeat(Math.max(3, ...[...diff.join('\n').matchAll(/`+/g)].map(([run]) => run.length + 1)));
  const shown = kind === 'metadata' ? ['(its METADATA differs)'] : diff;
  return `<details><summary><b>${kind}</b> ${code(name)}${about === '' ? '' : `: ${about}`}</summary>\n\n${fence}diff\n${shown.join('\n')}\n${fence}\n</details>`;
}

function tests({
  tests: { passed, failed, skipped, coverage, added, removed, failures, uncovered },
}: Review): string[] {
  const missed = uncovered.map(({ file, rows }) => `- not covered: ${code(file)} lines ${rows.join(', ')}`);
  return [
    `${thousands(passed)} passed, ${thousands(failed)} failed, ${thousands(skipped)} skipped${coverage === null ? '' : `; ${String(coverage)} % of the lines covered`}.${added === null ? '' : ` ${count(added.length, 'test')} added, ${thousands(removed?.length ?? 0)} removed.`}`,
    ...(failures.length + missed.length === 0
      ? []
      : [[...failures.map((line) => `- failed: ${code(line)}`), ...missed].join('\n')]),
  ];
}

function replay(part: ReplayPart): string[] {
  const { changed } = part;
  const other = Object.entries(changed).filter(([, calls]) => calls > 0);
  return [
    text(historySentence(part)),
    ...(part.problems.length === 0
      ? []
      : [part.problems.map(({ call, problem }) => `- ${code(call)}: ${text(problem)}`).join('\n')]),
    ...(part.flipped === 0
      ? []
      : [
          table('Rule', part.byRule),
          table('Tenant', part.byTenant),
          table('Model', part.byModel),
          table('Tool', part.byTool),
        ]),
    ...(part.examples.length === 0 ? [] : [examples(part)]),
    ...(other.length === 0
      ? []
      : [
          `With the same effect: ${other.map(([what, calls]) => `${count(calls, 'call')} with other ${what.replace('_', ' ')}`).join(', ')}.`,
        ]),
  ];
}

function table(title: string, rows: readonly TallyRow[]): string {
  const lines = rows
    .slice(0, 20)
    .map((row) => `| ${text(row.key)} | ${row.from} → ${row.to} | ${thousands(row.calls)} | ${moneyOf(row)} |`);
  const more = rows.length > 20 ? [`| … ${thousands(rows.length - 20)} more in the HTML report | | | |`] : [];
  return [`| ${title} | flip | calls | cost |`, '|---|---|--:|--:|', ...lines, ...more].join('\n');
}

function examples({ examples: flips }: ReplayPart): string {
  const lines = flips
    .slice(0, 10)
    .map(
      ({ call, from, to, rules: ids, messages }) =>
        `- ${code(call)} ${from} → ${to} by ${ids.map(code).join(', ')}: ${text(messages.join(' '))}`,
    );
  return `<details><summary>Examples</summary>\n\n${lines.join('\n')}\n\n</details>`;
}

function generated({ generated: { inputs, different, seed, differences } }: Review): string[] {
  if (different === 0) return [`No difference found in ${thousands(inputs)} generated inputs (seed ${String(seed)}).`];
  const lines = differences.map(
    (one) =>
      `<details><summary>${one.from} → ${one.to}, ${text(one.rules.join(', '))}: ${count(one.inputs, 'input')}</summary>\n\n\`\`\`\`\n${witnessText(one)}\n\`\`\`\`\n</details>`,
  );
  return [
    `${thousands(different)} of ${thousands(inputs)} generated inputs are decided differently (seed ${String(seed)}), in ${count(differences.length, 'way')}; the shortest input of each:`,
    ...lines,
  ];
}

function mutants({ mutants: part }: Review): string[] {
  if ('notDone' in part) return [`Mutants: not done, ${text(part.notDone)}.`];
  const alive = part.survivors.map(
    ({ id }) => `- ${code(id)}${part.unexplained.includes(id) ? '' : ' (listed with a reason)'}`,
  );
  return [
    `${count(part.mutants, 'mutant')} of ${part.of === 'all' ? 'all' : 'the changed'} rules: ${thousands(part.killed)} noticed by the tests, ${thousands(part.invalid)} do not compile, ${thousands(part.survivors.length)} survived.`,
    ...(alive.length === 0 ? [] : [alive.join('\n')]),
  ];
}

/** Markdown and HTML characters lose their meaning; names come from policies and callers. */
function text(value: string): string {
  return value
    .replaceAll(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;' })[sign] ?? '&gt;')
    .replaceAll(/[\\`*_[\]|#@]/g, '\\$&')
    .replaceAll(/\s+/g, ' ');
}

function code(value: string): string {
  const line = value.replaceAll(/\s+/g, ' ');
  return `<code>${line.replaceAll(/[&<>|]/g, (sign) => `&#${String(sign.charCodeAt(0))};`)}</code>`;
}
