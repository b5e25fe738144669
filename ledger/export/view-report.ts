import { DEPLOYMENT } from '../entry.ts';
import type { Asked } from './asked.ts';
import { bars, html, page, table } from './html.ts';
import type { Html } from './html.ts';
import type { ExportedLog } from './manifest.ts';
import type { Remarkable } from './remarkable.ts';
import type { ModelSums, Tally } from './tally.ts';
import { isoTime } from './viewed.ts';

const MAX_ROWS = 20;
const MAX_DAYS = 92;

/** What was gathered from the entries. */
interface Counted {
  readonly tally: Tally;
  readonly remarkable: Remarkable;
  readonly matches: number;
}

/** A page for people: what is in the folder and what it does and does not show. Static, without scripts, without network. */
export function reportPage(asked: Asked, logs: readonly ExportedLog[], counted: Counted): string {
  const { tally } = counted;
  const body = [
    head(asked, logs.at(-1)?.origin ?? '', tally),
    figures(tally),
    ...controlPart(asked, counted),
    html`<section>
      <h2>Calls a day</h2>
      ${days(tally)}
    </section>`,
    html`<section>
      <h2>Decisions</h2>
      <div class="columns">
        ${countTable('Effect', tally.effects)}${countTable('Outcome', tally.statuses)}${countTable('Rules that spoke', tally.rules)}${tally.waived.size === 0 ? [] : countTable('Lifted by a waiver', tally.waived)}
      </div>
    </section>`,
    html`<section>
      <h2>Models</h2>
      ${models(tally)}
    </section>`,
    remarkable(counted),
    html`<section>
      <h2>Everything by kind</h2>
      ${countTable('Kind of entry', tally.kinds)}
    </section>`,
    evidence(logs),
    limits(),
  ];
  return page(`Evidence of ${asked.tenant}`, body);
}

function head({ tenant }: Asked, origin: string, { firstMs, lastMs }: Tally): Html {
  const whose = tenant === DEPLOYMENT ? 'the deployment itself' : tenant;
  const span = firstMs === null || lastMs === null ? 'No entries' : `${utc(firstMs)} to ${utc(lastMs)} UTC`;
  return html`<header>
    <p class="brand">Countersign evidence</p>
    <h1>${whose}</h1>
    <p class="lede">${span}. Deployment ${origin}.</p>
    <p class="note">
      This page is a view. It proves nothing by itself: <code>VERIFY.md</code> beside it says how to check the entries
      it was made from.
    </p>
  </header>`;
}

function figures(tally: Tally): Html {
  const calls = [...tally.effects.values()].reduce((sum, count) => sum + count, 0);
  const allowed = tally.effects.get('allow') ?? 0;
  const shown: readonly (readonly [string, string])[] = [
    ['entries', whole(tally.entries)],
    ['calls decided', whole(calls)],
    ['not allowed', whole(calls - allowed)],
    ['without an outcome', whole(tally.open.size)],
    ['of unknown outcome', whole(tally.unknown)],
    ['erased by order', whole(tally.erased)],
    ['booked', usd(tally.booked)],
  ];
  return html`<dl class="figures">
    ${shown.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

function controlPart({ control }: Asked, { matches }: Counted): Html[] {
  if (control === null) return [];
  const { regime, clause, asks, supports, source, inForce, query } = control;
  return [
    html`<section class="control">
      <h2>${regime}, ${clause}</h2>
      <p>${asks}</p>
      <p><strong>${whole(matches)} entries</strong> are evidence that supports this. ${supports}</p>
      <p class="note">
        Query: ${query}. Applies since ${inForce}. Source: ${source}. The entries are listed in
        <code>control/entries.jsonl</code>.
      </p>
    </section>`,
  ];
}

function days({ days: counts }: Tally): Html {
  const rows = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-MAX_DAYS);
  if (rows.length === 0) return html`<p class="note">No calls.</p>`;
  const left = counts.size - rows.length;
  return html`${bars(rows.map(([day, { calls, refused }]) => ({ name: day, parts: [calls - refused, refused], text: `${whole(calls)} calls, ${whole(refused)} not allowed` })))}
    <p class="note">
      Dark: allowed. Red: not allowed.${left > 0 ? ` ${whole(left)} earlier days are not drawn.` : ''}
    </p>`;
}

function countTable(title: string, counts: ReadonlyMap<string, number>): Html {
  const rows = [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, MAX_ROWS);
  return table([title, 'Entries'], rows.map(([name, count]) => [name, whole(count)])); // prettier-ignore
}

function models({ models: sums }: Tally): Html {
  const row = ([name, model]: [string, ModelSums]): string[] => [
    name,
    whole(model.calls),
    whole(model.inputTokens),
    whole(model.outputTokens),
    model.unpriced > 0 ? `${usd(model.nusd)} (${whole(model.unpriced)} unpriced)` : usd(model.nusd),
  ];
  const rows = [...sums].toSorted(([a, m], [b, n]) => n.calls - m.calls || (a < b ? -1 : 1)).slice(0, MAX_ROWS);
  return table(['Model', 'Calls', 'Input tokens', 'Output tokens', 'Booked'], rows.map(row));
}

function remarkable({ remarkable: found }: Counted): Html {
  const rows = found.newest.map(({ seq, timeMs, kind, what, call }) => [whole(seq), utc(timeMs), kind.replaceAll('_', ' '), what, call]); // prettier-ignore
  const rest = found.count - rows.length;
  return html`<section>
    <h2>Worth a look</h2>
    <p class="note">
      Calls that were not allowed or did not end well, erasures, holds, gaps, approvals and exports; the newest
      first.${rest > 0 ? ` ${whole(rest)} older ones are in views/entries.csv.` : ''}
    </p>
    ${rows.length === 0 ? html`<p>Nothing.</p>` : table(['Entry', 'Time (UTC)', 'Kind', 'What', 'Call or id'], rows)}
  </section>`;
}

function evidence(logs: readonly ExportedLog[]): Html {
  const rows = logs.map(({ log, role, first, entries, head: last }) => [
    role, log, entries === 0 ? 'none' : `${whole(first)} to ${whole(first + entries - 1)}`, last ?? 'none',
  ]); // prettier-ignore
  return html`<section>
    <h2>The logs</h2>
    ${table(['Whose', 'Log', 'Entries', 'Hash of the last'], rows, 'mono')}
  </section>`;
}

function limits(): Html {
  return html`<section>
    <h2>What this does not show</h2>
    <ul>
      <li>That recorded content is true, or that no call went around the gateway.</li>
      <li>
        That nothing was rewritten by an owner of the database and its keys, as far as no witness or timestamp authority
        you believe has seen a checkpoint over it.
      </li>
      <li>That the end of the log was not cut behind its last epoch, where nothing refers to it.</li>
      <li>That any law or standard is met: entries are evidence that supports a judgement; the judgement is yours.</li>
    </ul>
  </section>`;
}

function whole(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ' ');
}

function utc(ms: number): string {
  return isoTime(ms).slice(0, 19).replace('T', ' ');
}

/** Nano-USD as dollars, exact. */
function usd(nusd: bigint): string {
  const sign = nusd < 0n ? '-' : '';
  const digits = String(nusd < 0n ? -nusd : nusd).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0{1,7}$/, '');
  return `${sign}$${digits.slice(0, -9)}.${fraction}`;
}
