import type { Difference } from './generated.ts';
import { html, Html, page } from './page.ts';
import type { Flip } from './replay.ts';
import type { Review, ReplayPart } from './review.ts';
import type { RuleChange } from './semantic.ts';
import type { TallyRow } from './tally.ts';
import { count, thousands } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import { dollars, headline, historySentence, lineDiff, moneyOf, witnessText } from './words.ts';

/** The report as one file a reviewer opens in a browser: the sentence first, every number leads to its examples. */
export function htmlReport(review: Review, verdict: Verdict): string {
  const body = html`<header>
      <h1>Policy review · ${review.name}</h1>
      <p class="lead">${headline(review)}</p>
      ${notes(verdict)}${sides(review)}${cards(review)}
      <nav>
        <a href="#rules">Rules</a><a href="#calls">Recorded calls</a><a href="#generated">Generated inputs</a
        ><a href="#tests">Tests</a><a href="#mutants">Mutants</a>
      </nav>
    </header>
    <section id="rules">
      <h2>Rules</h2>
      ${rules(review)}
    </section>
    <section id="calls">
      <h2>Recorded calls</h2>
      ${'notDone' in review.replay ? notDone('Replay', review.replay) : replay(review.replay)}
    </section>
    <section id="generated">
      <h2>Generated inputs</h2>
      ${generated(review)}
    </section>
    <section id="tests">
      <h2>Tests</h2>
      ${tests(review)}
    </section>
    <section id="mutants">
      <h2>Mutants</h2>
      ${mutants(review)}
    </section>`;
  return page(`Policy review: ${review.name}`, body);
}

function notes({ attention, unknown }: Verdict): Html {
  if (attention.length + unknown.length === 0) return html`<p class="note good">Nothing needs attention.</p>`;
  return html`${attention.map((line) => html`<p class="note bad">${line}</p>`)}${unknown.map((line) => html`<p class="note">${line}</p>`)}`;
}

function sides({ base, head, madeMs }: Review): Html {
  const same = base.identity.digest === head.identity.digest;
  const side = ({ label, identity }: Review['base']): Html =>
    html`<code>${label}</code> <span class="soft">${identity.digest.slice(0, 16)}</span>`;
  return html`<p class="soft">
    ${side(base)} → ${side(head)}${same ? ' · the compiled bundles are the same bytes' : ''} ·
    ${new Date(madeMs).toISOString().slice(0, 16).replace('T', ' ')} UTC
  </p>`;
}

function cards(review: Review): Html {
  const { rules: diff, tests: report, generated: found, mutants: tried, replay: played } = review;
  const card = (number: string, label: string): Html =>
    html`<div class="card"><b>${number}</b><span>${label}</span></div>`;
  const replayed =
    'notDone' in played
      ? card('–', 'recorded calls replayed')
      : html`${card(thousands(played.flipped), `of ${thousands(played.concerned)} recorded calls flip`)}${card(thousands(played.reproduction.reproduced), 'decisions reproduced bit for bit')}`;
  return html`<div class="cards">
    ${card(thousands(diff.changes.length), 'rules differ')}${replayed}${card(thousands(found.differences.length), 'ways to differ in generated inputs')}${card(`${thousands(report.passed)}/${thousands(report.passed + report.failed)}`, `tests pass${report.coverage === null ? '' : `, ${String(report.coverage)} % covered`}`)}${'notDone' in tried ? null : card(thousands(tried.unexplained.length), 'mutants unnoticed')}
  </div>`;
}

function notDone(what: string, { notDone: why }: { readonly notDone: string }): Html {
  return html`<p class="soft">${what}: not done, ${why}.</p>`;
}

function rules({ rules: { changes, unchanged, rewritten }, data }: Review): Html {
  const rest = `${count(unchanged, 'rule')} unchanged${rewritten === 0 ? '' : `, ${thousands(rewritten)} of them only written another way`}.`;
  return html`${changes.map(ruleChange)}${data.length === 0 ? null : html`<p>Data: ${data.map((name) => html`<code>${name}</code> `)} differ.</p>`}
    <p class="soft">${rest}</p>`;
}

function ruleChange({ kind, name, about: { title, severity, controls, file, row }, before, after }: RuleChange): Html {
  const lines = lineDiff(before?.text ?? '', after?.text ?? '');
  const about = [title ?? '', ...controls].filter((part) => part !== '').join(' · ');
  return html`<details>
    <summary>
      <span class="tag ${kind}">${kind}</span
      >${severity === null ? null : html`<span class="tag ${severity}">${severity}</span>`} <code>${name}</code>
      <span class="soft">${about}</span>
    </summary>
    <p class="soft">${file}:${row}${kind === 'metadata' ? ' · its METADATA differs' : ''}</p>
    <pre>
${lines.map(({ sign, text }) => html`<div class="${sign === '+' ? 'a' : sign === '-' ? 'd' : ''}">${sign} ${text}</div>`)}</pre>
  </details>`;
}

function replay(part: ReplayPart): Html {
  const changed = Object.entries(part.changed).filter(([, calls]) => calls > 0);
  return html`<p>${historySentence(part)}</p>
    ${
      part.problems.length === 0
        ? null
        : html`<details>
            <summary>Calls that were not reproduced</summary>
            <dl>
              ${part.problems.map(
                ({ call, problem }) =>
                  html`<dt><code>${call}</code></dt>
                    <dd>${problem}</dd>`,
              )}
            </dl>
          </details>`
    }
    ${part.flipped === 0 ? html`<p>No recorded call would have been decided with another effect.</p>` : flips(part)}
    ${changed.length === 0 ? null : html`<p>With the same effect: ${changed.map(([what, calls]) => `${count(calls, 'call')} with other ${what.replace('_', ' ')}`).join(', ')}.</p>`}
    <details>
      <summary class="soft">What was read of the ledger</summary>
      <table>
        <thead>
          <tr>
            <th>Tenant</th>
            <th>Log</th>
            <th class="n">From entry</th>
            <th class="n">Entries</th>
            <th>Head</th>
          </tr>
        </thead>
        <tbody>
          ${part.ranges.map(
            (range) =>
              html`<tr>
                <td>${range.tenant}</td>
                <td><code>${range.log.slice(0, 16)}</code></td>
                <td class="n">${thousands(range.from)}</td>
                <td class="n">${thousands(range.entries)}</td>
                <td>${range.problem === null ? html`<code>${range.head ?? 'nothing read'}</code>` : range.problem}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </details>`;
}

function flips(part: ReplayPart): Html {
  return html`${table('Rule', part.byRule, part.examples)}${table('Tenant', part.byTenant)}${table('Model', part.byModel)}${table('Tool offered', part.byTool)}
    <h3>Examples</h3>
    ${part.examples.map(example)}`;
}

/** A row leads to its first example. */
function table(title: string, rows: readonly TallyRow[], linked: readonly Flip[] = []): Html {
  return html`<table>
    <thead>
      <tr>
        <th>${title}</th>
        <th>Flip</th>
        <th class="n">Calls</th>
        <th class="n">Cost of these calls</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map((row) => {
        const first = linked.find(
          ({ rules: ids, from, to }) => ids.includes(row.key) && from === row.from && to === row.to,
        );
        const key = first === undefined ? html`${row.key}` : html`<a href="#${first.call}">${row.key}</a>`;
        return html`<tr>
          <td>${key}</td>
          <td>${arrow(row)}</td>
          <td class="n">${thousands(row.calls)}</td>
          <td class="n">${moneyOf(row)}</td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

function arrow({ from, to }: Pick<TallyRow, 'from' | 'to'>): Html {
  return html`<span class="tag ${from}">${from}</span>→ <span class="tag ${to}">${to}</span>`;
}

function example(flip: Flip): Html {
  const facts = Object.entries(flip.facts).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
  );
  return html`<details id="${flip.call}">
    <summary>
      ${arrow(flip)} <code>${flip.rules.join(', ')}</code>
      <span class="soft"
        >${flip.tenant} · ${flip.model ?? 'no model'} ·
        ${new Date(flip.timeMs).toISOString().slice(0, 16).replace('T', ' ')}</span
      >
    </summary>
    ${flip.messages.map((message) => html`<p>${message}</p>`)}
    <dl>
      <dt>call</dt>
      <dd><code>${flip.call}</code></dd>
      <dt>cost</dt>
      <dd>${flip.costNusd === null ? 'not known' : dollars(flip.costNusd)}</dd>
      ${facts.map(
        ([name, value]) =>
          html`<dt>${name.replaceAll('_', ' ')}</dt>
            <dd>${Array.isArray(value) ? value.join(', ') : String(value)}</dd>`,
      )}
    </dl>
    <p class="soft">All of it: <code>countersign policy explain ${flip.call} --tenant ${flip.tenant}</code></p>
  </details>`;
}

function generated({ generated: { inputs, different, seed, differences } }: Review): Html {
  if (different === 0)
    return html`<p>
      No difference found in ${thousands(inputs)} generated inputs <span class="soft">(seed ${seed})</span>.
    </p>`;
  return html`<p>
      ${thousands(different)} of ${thousands(inputs)} generated inputs are decided differently, in
      ${count(differences.length, 'way')} <span class="soft">(seed ${seed})</span>. Each with the shortest input that
      shows it:
    </p>
    ${differences.map(witness)}`;
}

function witness(one: Difference): Html {
  const effect =
    one.from === one.to
      ? html`<span class="tag ${one.from}">${one.from}</span>`
      : arrow(one as Pick<TallyRow, 'from' | 'to'>);
  return html`<details>
    <summary>
      ${effect} <code>${one.rules.join(', ')}</code> <span class="soft">${count(one.inputs, 'input')}</span>
    </summary>
    <pre>
${witnessText(one)
        .split('\n')
        .map((line) => html`<div>${line}</div>`)}</pre>
  </details>`;
}

function tests({ tests: report }: Review): Html {
  const { passed, failed, skipped, coverage, added, removed, failures, uncovered, problems } = report;
  const compared =
    added === null ? '' : ` ${count(added.length, 'test')} added, ${thousands(removed?.length ?? 0)} removed.`;
  return html`<p>
      ${thousands(passed)} passed, ${thousands(failed)} failed, ${thousands(skipped)}
      skipped${coverage === null ? '' : `; ${String(coverage)} % of the lines covered`}.${compared}
    </p>
    ${[...failures, ...problems].map((line) => html`<p class="note bad"><code>${line}</code></p>`)}
    ${
      uncovered.length === 0
        ? null
        : html`<details>
            <summary>Lines no test runs</summary>
            <dl>
              ${uncovered.map(
                ({ file, rows }) =>
                  html`<dt><code>${file}</code></dt>
                    <dd>${rows.join(', ')}</dd>`,
              )}
            </dl>
          </details>`
    }
    ${
      (added ?? []).length + (removed ?? []).length === 0
        ? null
        : html`<details>
            <summary>Tests added and removed</summary>
            <p>
              ${(added ?? []).map((name) => html`<span class="tag added">added</span> <code>${name}</code><br />`)}${(removed ?? []).map((name) => html`<span class="tag removed">removed</span> <code>${name}</code><br />`)}
            </p>
          </details>`
    }`;
}

function mutants({ mutants: part }: Review): Html {
  if ('notDone' in part) return notDone('Mutants', part);
  const unexplained = new Set(part.unexplained);
  return html`<p>
      ${count(part.mutants, 'mutant')} of ${part.of === 'all' ? 'all' : 'the changed'} rules: ${thousands(part.killed)}
      noticed by the tests, ${thousands(part.invalid)} do not compile, ${thousands(part.survivors.length)} survived.
    </p>
    ${part.survivors.map(
      ({ id, operator, rule, file, row, before, after }) =>
        html`<details>
          <summary>
            <span class="tag ${unexplained.has(id) ? 'changed' : ''}">${operator}</span> <code>${rule}</code>
            <span class="soft">${file}:${row}${unexplained.has(id) ? '' : ' · listed with a reason'}</span>
          </summary>
          <pre><div class="d">- ${before}</div><div class="a">+ ${after}</div></pre>
        </details>`,
    )}`;
}
