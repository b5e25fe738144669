import { hash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runOpa } from '../../../policies/compiler/run.ts';
import { explainCall, findBundle, findParameters, loadBundle, replayCalls } from '../../../policies/index.ts';
import type { Bundle, RecordedCall } from '../../../policies/index.ts';
import {
  headline,
  htmlReport,
  judge,
  markdownReport,
  parseFolder,
  recommendExemption,
  reviewChange,
} from '../../../policies/reviewing.ts';
import type { BundleChange } from '../../../policies/reviewing.ts';
import { buildBundle, testPolicies } from '../../../policies/testing.ts';
import { ChatStand, MODEL } from '../../gateway/chat/stand.ts';
import { recordedCalls } from '../../support/replay.ts';
import { baseline, findTools, required, ROOT, withFolder } from '../toolchain.ts';
import { CHANGES, NO_SHELL } from './changes.ts';

/**
 * A thousand calls through the gateway, and what three changes of rules would have done to them: the same flips as opa itself
 * computes on the stored inputs.
 */
const tools = await findTools();
const CALLS = 1000;
const TEXTS = [
  'hello',
  'write to ada@example.com',
  'call +49 30 123456',
  'key AKIAIOSFODNN7EXAMPLE',
  'a longer text '.repeat(40),
];
const TOOLS = ['search', 'shell', 'browser'];

let stand: ChatStand;
let calls: RecordedCall[];

beforeAll(async () => {
  if (tools === null) return;
  stand = await ChatStand.start({
    demo: '{ limits: { max_input_tokens: 400 } }',
    models: [`{ name: other, deployments: [{ provider: mock, model: ${MODEL} }] }`],
  });
  await Promise.all(Array.from({ length: 8 }, (_, worker) => askAll(worker)));
  calls = [];
  for await (const call of recordedCalls(stand.sql, stand.gateway.keys, 'demo')) calls.push(call);
}, 300_000);
afterAll(() => stand?.stop());

async function askAll(worker: number): Promise<void> {
  for (let i = worker; i < CALLS; i += 8) {
    const names = TOOLS.filter((_, n) => i % (n + 3) === 0);
    const offered = names.map((name) => ({ type: 'function', function: { name, parameters: { type: 'object' } } }));
    const more = { model: i % 5 === 0 ? 'other' : MODEL, ...(offered.length > 0 ? { tools: offered } : {}) };
    const messages = Array.from({ length: 1 + (i % 4) }, () => ({
      role: 'user',
      content: TEXTS[i % TEXTS.length] ?? '',
    }));
    await stand.ask({ messages }, { ...more, ...(i % 7 === 0 ? { max_tokens: 10 * (i % 30) + 1 } : {}) });
  }
}

async function changed(
  change: (typeof CHANGES)[number],
  use: (dir: string, head: Bundle) => Promise<void>,
): Promise<void> {
  await withFolder(async (work) => {
    const dir = join(work, 'rego');
    await cp(join(ROOT, 'policies/rego/baseline'), dir, { recursive: true });
    const [file, main] = [join(dir, change.file), join(dir, 'main.rego')];
    await writeFile(file, change.edit(await readFile(file, 'utf8')));
    await writeFile(main, change.add(await readFile(main, 'utf8')));
    const out = join(work, 'out', 'baseline.tar.gz');
    await buildBundle(dir, out, required(tools), { revision: 'head' });
    await use(dir, loadBundle(await readFile(out), 'baseline'));
  });
}

/** The effect of every stored request input, as opa's own interpreter finds it from the sources. */
async function askOpa(dir: string, inputs: readonly unknown[], parameters: unknown): Promise<string[]> {
  return withFolder(async (work) => {
    await writeFile(join(work, 'data.json'), JSON.stringify({ inputs, tenants: parameters }));
    const query = '[effect | some one in data.inputs; effect := data.countersign.main.effect with input as one]';
    const args = ['eval', '--format', 'json', '--data', dir, '--data', join(work, 'data.json'), query];
    const { stdout } = await runOpa(required(tools).opa, args, work);
    const report = JSON.parse(stdout) as { result: [{ expressions: [{ value: string[] }] }] };
    return report.result[0].expressions[0].value;
  });
}

describe.skipIf(tools === null)('a thousand recorded calls', () => {
  let before: string[];
  let inputs: unknown[];
  let parameters: unknown;

  beforeAll(async () => {
    inputs = calls.map(({ questions }) => questions[0]?.inputs[0]);
    parameters = await findParameters(stand.sql, calls[0]?.by.parameters ?? '');
    before = await askOpa(join(ROOT, 'policies/rego/baseline'), inputs, parameters);
  }, 300_000);

  const sources = {
    findBundle: (digest: string, name: string) => findBundle(stand.sql, digest, name),
    findParameters: (digest: string) => findParameters(stand.sql, digest),
  };

  test('they reproduce bit for bit, answers too', async () => {
    const { reproduction, problems } = await replayCalls({ calls, sources, change: null });
    expect(problems).toEqual([]);
    expect(reproduction).toMatchObject({ reproduced: CALLS, mismatch: 0, missing: 0 });
    expect(calls.filter(({ questions }) => questions.length > 1).length).toBeGreaterThan(CALLS / 4);
    expect(new Set(before)).toEqual(new Set(['allow', 'deny']));
  });

  test.each(CHANGES)(
    '$what: the flips are those opa finds',
    async (change) => {
      await changed(change, async (dir, head) => {
        const after = await askOpa(dir, inputs, parameters);
        const flips = new Map<string, string>();
        const report = await replayCalls({
          calls,
          sources,
          change: { base: await baseline(), head, joins: false },
          onFlip: ({ call, point, from, to }) => flips.set(call, `${point} ${from} ${to}`),
        });
        const wanted = calls.flatMap(({ call }, i) =>
          before[i] === after[i] ? [] : [[call, `model.request ${before[i] ?? ''} ${after[i] ?? ''}`] as const],
        );
        expect(flips).toEqual(new Map(wanted));
        expect(wanted.length).toBeGreaterThan(20);
        expect(report.flipped).toBe(wanted.length);
        expect(report.byTenant.reduce((sum, row) => sum + row.calls, 0)).toBe(wanted.length);
        expect(report.byModel.reduce((sum, row) => sum + row.calls, 0)).toBe(wanted.length);
      });
    },
    300_000,
  );

  test('the report says so in a sentence, in files that load nothing and name nobody', async () => {
    const change = CHANGES[1];
    if (change === undefined) throw new TypeError('no change');
    await changed(change, async (dir) => {
      const review = await reviewChange({
        base: join(ROOT, 'policies/dist/baseline.tar.gz'),
        head: dir,
        name: 'baseline',
        tools: required(tools),
        inputs: 2000,
        seed: 7,
        mutants: 'none',
        nowMs: Date.UTC(2026, 0, 8),
        note: () => undefined,
        replay: async (bundles) => ({
          ...(await replayCalls({ calls, sources, change: bundles })),
          fromMs: Date.UTC(2026, 0, 1),
          toMs: Date.UTC(2026, 0, 8),
          ranges: [{ tenant: 'demo', log: 'ab'.repeat(32), from: 0, entries: 2000, head: null, problem: null }],
        }),
      });
      if ('notDone' in review.replay) throw new TypeError(review.replay.notDone);
      const flips = review.replay.flipped;
      expect(headline(review)).toBe(
        `This change would have denied ${String(flips)} of the 1,000 calls of the last week.`,
      );
      expect(judge(review, { allowFlips: flips, replayWanted: true }).attention.join()).not.toContain('another way');
      const verdict = judge(review, { allowFlips: flips - 1, replayWanted: true });
      expect(verdict.exit).toBe(1);

      const page = htmlReport(review, verdict);
      const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? '';
      expect(page).toContain(`style-src &#39;sha256-${hash('sha256', style, 'base64')}&#39;`);
      expect(page).not.toMatch(/<script|<img|<link|https?:|style=|onclick/);
      const [first] = review.replay.examples;
      expect(page).toContain(`href="#${first?.call ?? ''}"`);
      expect(page).toContain(`<details id="${first?.call ?? ''}"`);
      for (const text of [page, markdownReport(review, verdict), JSON.stringify(review)]) {
        expect(text).toContain('main.messages');
        expect(text).not.toContain(calls[0]?.questions[0]?.inputs[0]?.principal.id ?? 'nobody');
      }
      const [shortest] = review.generated.differences;
      expect(shortest).toMatchObject({ from: 'allow', to: 'deny', fields: { 'request.messages': 4 }, parameters: {} });
    });
  }, 300_000);

  test('a bundle that is new joins those that decided; without saying so it concerns no call', async () => {
    await withFolder(async (dir) => {
      await writeFile(join(dir, 'main.rego'), NO_SHELL);
      const options = {
        head: dir,
        name: 'own',
        tools: required(tools),
        inputs: 100,
        seed: 7,
        mutants: 'none',
        nowMs: Date.UTC(2026, 0, 8),
        note: () => undefined,
        replay: async (bundles: BundleChange) => ({
          ...(await replayCalls({ calls, sources, change: bundles })),
          fromMs: Date.UTC(2026, 0, 1),
          toMs: Date.UTC(2026, 0, 8),
          ranges: [],
        }),
      } as const;
      const review = await reviewChange({ ...options, base: 'none' });
      const offered = calls.filter(({ tools: names }, i) => names.includes('shell') && before[i] === 'allow').length;
      expect(offered).toBeGreaterThan(20);
      expect(headline(review)).toBe(
        `This change would have denied ${String(offered)} of the 1,000 calls of the last week.`,
      );
      expect(review.replay).toMatchObject({ flipped: offered, changed: { obligations: 0, allowed: 0 } });
      expect(review.rules.changes.map(({ kind, name }) => [kind, name])).toEqual([
        ['added', 'data.countersign.main.deny'],
        ['added', 'data.countersign.main.effect'],
      ]);
      expect(headline(await reviewChange({ ...options, base: dir }))).toContain('was decided by this bundle');
    });
  }, 300_000);

  test('an explanation names the rules that fired with titles and controls, and decides the call again', async () => {
    const denied = calls[before.indexOf('deny')];
    if (denied === undefined) throw new TypeError('no denied call');
    const explanation = await explainCall(denied, sources);
    expect(explanation).toMatchObject({ call: denied.call, reproduction: 'reproduced', problems: [] });
    const [question] = explanation.questions;
    expect(question).toMatchObject({ point: 'model.request', effect: 'deny' });
    const fired = question?.fired.find(({ rule }) => rule === 'secrets.outbound');
    expect(fired).toMatchObject({ bundle: 'baseline', severity: 'critical', file: 'secrets.rego' });
    expect(fired?.controls).toContain('owasp_llm:LLM02');
    expect(question?.reasons.map(({ rule }) => rule)).toEqual(['secrets.outbound']);

    const lost = await explainCall(denied, { ...sources, findBundle: () => Promise.resolve(null) });
    expect(lost).toMatchObject({ reproduction: 'missing', questions: [] });
    expect(lost.problems[0]).toContain('is not in the policy store');
  });

  test('an erased input is never a mismatch, a hit limit is undecided, another answer is a mismatch', async () => {
    const [call] = calls;
    const [question] = call?.questions ?? [];
    if (call === undefined || question?.recorded.form !== 'evaluations') throw new TypeError('no request');
    const [evaluation] = question.recorded.evaluations;
    const answered = (answer: object): RecordedCall => ({
      ...call,
      questions: [{ ...question, recorded: { form: 'evaluations', evaluations: [answer as never] } }],
    });
    const cases = {
      erased: { ...call, erased: true, questions: [] },
      undecided: answered({ outcome: 'undecided', code: 'memory', detail: '' }),
      mismatch: answered({
        ...evaluation,
        decision: { effect: 'deny', reasons: [], obligations: [], user_message: '' },
      }),
      not_decided: { ...call, questions: [] },
      other_runtime: { ...answered({ outcome: 'decided' }), by: { ...call.by, runtime: 'another' } },
      missing: { ...call, by: { ...call.by, parameters: '0'.repeat(64) } },
    };
    for (const [result, one] of Object.entries(cases)) {
      const { reproduction } = await replayCalls({ calls: [one], sources, change: null });
      expect(Object.entries(reproduction).filter(([, calls]) => calls > 0)).toEqual([[result, 1]]);
    }
  });

  test('a recommended exemption is a draft whose own tests pass, made of recorded refusals', async () => {
    const inputs = calls.flatMap(({ questions }) => questions[0]?.inputs[0] ?? []);
    const refused = inputs.filter(({ findings }) => findings.some(({ kind }) => kind === 'secret'));
    const head = join(ROOT, 'policies/rego/baseline');
    const files = await parseFolder(required(tools).opa, head);
    const refusals = refused.map((input) => ({ input, parameters: { limits: { max_input_tokens: 400 } } }));
    const draft = recommendExemption(files, 'secrets.outbound', refusals);
    expect(draft.conditions).toContain('input.tenant.id == "demo"');
    await withFolder(async (work) => {
      const dir = join(work, 'draft');
      await cp(head, dir, { recursive: true });
      for (const { path, text } of draft.files) {
        expect(text).not.toContain(refused[0]?.principal.id ?? 'nobody');
        await writeFile(join(dir, path), text);
      }
      const report = await testPolicies(dir, required(tools));
      const drafted = report.tests.filter(({ package: name }) => name.endsWith('recommended_exemption_test'));
      expect(drafted.length).toBeGreaterThan(1);
      expect(drafted.filter(({ outcome }) => outcome !== 'pass')).toEqual([]);
    });
    expect(() => recommendExemption(files, 'no.such.rule', refusals)).toThrow('expected a rule');
    expect(() => recommendExemption(files, 'secrets.outbound', [])).toThrow('expected recorded calls');
  }, 300_000);
});
