import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CostsError, formatReport, monthlyReport, monthRange, type CostRecord } from '../../costs/index.ts';

const at = { tenant: 'demo', month: '2026-11' };
const usage = {
  input_tokens: 100,
  cached_input_tokens: 40,
  cache_write_tokens: 0,
  output_tokens: 10,
  estimated: false,
};
const settled = {
  status: 'ok',
  cost_nusd: '210000',
  usage,
  price_id: 'genai:openai/gpt-4o-mini@initial',
  provider: 'openai',
  model: 'gpt-4o-mini',
  deployment: 'openai/gpt-4o-mini',
};
const decisionFacts = {
  effect: 'allow',
  provider: 'openai',
  model: 'gpt-4o',
  deployment: 'openai/gpt-4o',
  reserved_nusd: '9000',
};
const sample: CostRecord[] = [
  { call: 'cs-1', facts: settled },
  { call: 'cs-2', facts: { ...settled, cost_nusd: '90000', usage: { ...usage, estimated: true } } },
  { call: 'cs-3', facts: null, decisionFacts },
  { call: 'cs-4', facts: { status: 'unknown', cost_nusd: null }, decisionFacts },
  {
    call: 'cs-5',
    facts: {
      ...settled,
      cost_nusd: null,
      price_id: null,
      model: 'llama3.2',
      provider: 'local',
      deployment: 'local/llama3.2',
    },
  },
  { call: 'cs-6', facts: null, decisionFacts: { effect: 'deny' } },
];

describe('monthlyReport', () => {
  test('puts every call on one line of its deployment, price and state', async () => {
    const report = await monthlyReport(sample, at);
    expect(
      report.lines.map((line) => [
        line.provider,
        line.model,
        line.state,
        line.calls,
        line.cost_nusd,
        line.reserved_nusd,
      ]),
    ).toEqual([
      ['local', 'llama3.2', 'unpriced', 1, 0n, 0n],
      ['openai', 'gpt-4o', 'open', 1, 0n, 9000n],
      ['openai', 'gpt-4o', 'unknown', 1, 0n, 9000n],
      ['openai', 'gpt-4o-mini', 'settled', 2, 300_000n, 0n],
    ]);
    expect(report.total).toMatchObject({
      calls: 5,
      cost_nusd: 300_000n,
      reserved_nusd: 18_000n,
      input_tokens: 300,
      estimated_calls: 1,
    });
    expect(report.calls_by_state).toEqual({ settled: 2, unpriced: 1, unknown: 1, open: 1 });
    expect(report.estimated_ppm).toBe(300_000);
  });

  test('reads a stream of records', async () => {
    async function* records(): AsyncGenerator<CostRecord> {
      yield* sample;
    }
    expect(await monthlyReport(records(), at)).toEqual(await monthlyReport(sample, at));
  });

  test('the total is the exact sum of the calls, in any order', async () => {
    const amount = fc.option(fc.bigInt({ min: 0n, max: 10n ** 27n }), { nil: null });
    const calls = fc.array(
      fc.record({ amount, model: fc.constantFrom('a', 'b', '__proto__'), estimated: fc.boolean() }),
      { maxLength: 50 },
    );
    await fc.assert(
      fc.asyncProperty(calls, async (made) => {
        const records = made.map((call, index): CostRecord => ({
          call: `cs-${index}`,
          facts: {
            ...settled,
            model: call.model,
            cost_nusd: call.amount === null ? null : String(call.amount),
            usage: { ...usage, estimated: call.estimated },
          },
        }));
        const report = await monthlyReport(records, at);
        const sum = made.reduce((total, call) => total + (call.amount ?? 0n), 0n);
        expect(report.total.cost_nusd).toBe(sum);
        expect(report.lines.reduce((total, line) => total + line.cost_nusd, 0n)).toBe(sum);
        expect(report.lines.reduce((total, line) => total + line.calls, 0)).toBe(made.length);
        expect(await monthlyReport(records.toReversed(), at)).toEqual(report);
      }),
    );
  });

  test.each([
    [{ ...settled, cost_nusd: '1.5' }],
    [{ ...settled, cost_nusd: 12 }],
    [{ ...settled, cost_nusd: '-3' }],
    [{ ...settled, usage: { ...usage, input_tokens: 1.5 } }],
  ])('names the call whose facts cannot be read (%#)', async (facts) => {
    await expect(monthlyReport([{ call: 'cs-bad', facts }], at)).rejects.toThrow(/cs-bad/);
    await expect(monthlyReport([{ call: 'cs-bad', facts }], at)).rejects.toBeInstanceOf(CostsError);
  });

  test('months', () => {
    expect(monthRange('2026-12')).toEqual({
      fromMs: Date.parse('2026-12-01T00:00:00Z'),
      toMs: Date.parse('2027-01-01T00:00:00Z'),
    });
    for (const month of ['2026-13', '2026-1', '2026-00', '', '2026-11-01'])
      expect(() => monthRange(month)).toThrow(CostsError);
  });
});

describe('formatReport', () => {
  test('csv', async () => {
    expect(formatReport(await monthlyReport(sample, at), 'csv').split('\r\n')).toEqual([
      'tenant,month,provider,model,deployment,state,price_id,calls,input_tokens,cached_input_tokens,cache_write_tokens,output_tokens,cost_nusd,cost_usd,reserved_nusd,estimated_calls,estimated_nusd',
      'demo,2026-11,local,llama3.2,local/llama3.2,unpriced,,1,100,40,0,10,,,0,0,0',
      'demo,2026-11,openai,gpt-4o,openai/gpt-4o,open,,1,0,0,0,0,,,9000,0,0',
      'demo,2026-11,openai,gpt-4o,openai/gpt-4o,unknown,,1,0,0,0,0,,,9000,0,0',
      'demo,2026-11,openai,gpt-4o-mini,openai/gpt-4o-mini,settled,genai:openai/gpt-4o-mini@initial,2,200,80,0,20,300000,0.000300000,0,1,90000',
      '',
    ]);
  });

  test('csv cells are quoted, and never formulas', async () => {
    const hostile = ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', 'a"b', 'a,b', 'a\r\nb'];
    const csv = formatReport(
      await monthlyReport(
        hostile.map((model, index) => ({ call: `cs-${index}`, facts: { ...settled, model } })),
        at,
      ),
      'csv',
    );
    for (const cell of [`'=1+1`, `'+1`, `'-1`, `'@SUM(A1)`, `'\tx`, '"a""b"', '"a,b"', '"a\r\nb"'])
      expect(csv).toContain(`,${cell},`);
  });

  test('json keeps amounts as decimal strings and unknown costs null', async () => {
    const json = JSON.parse(formatReport(await monthlyReport(sample, at), 'json')) as {
      lines: { cost_nusd: string | null }[];
      total: object;
    };
    expect(json.lines.map((line) => line.cost_nusd)).toEqual([null, null, null, '300000']);
    expect(json.total).toMatchObject({ cost_nusd: '300000', cost_usd: '0.000300000', reserved_nusd: '18000' });
  });

  test('table', async () => {
    expect(formatReport(await monthlyReport(sample, at), 'table')).toBe(
      [
        'Costs of demo in 2026-11 (UTC)',
        '',
        'provider  model        state     calls  input  cached  output     cost USD  reserved USD  price',
        'local     llama3.2     unpriced      1    100      40      10            -             -  -',
        'openai    gpt-4o       open          1      0       0       0            -   0.000009000  -',
        'openai    gpt-4o       unknown       1      0       0       0            -   0.000009000  -',
        'openai    gpt-4o-mini  settled       2    200      80      20  0.000300000             -  genai:openai/gpt-4o-mini@initial',
        'total                                5    300     120      30  0.000300000   0.000018000',
        '',
        '1 open and 1 unknown calls: their cost is not in the total, their reservations are held.',
        '1 unpriced calls: no price was known for the model on that day.',
        '30.00 % of the cost rests on estimated token counts (1 calls).',
        '',
      ].join('\n'),
    );
  });

  test('an empty month and control characters in names print safely', async () => {
    expect(formatReport(await monthlyReport([], at), 'table')).toContain('total');
    const report = await monthlyReport([{ call: 'cs-1', facts: { ...settled, model: '\u001b[31mred\u202e' } }], at);
    expect(formatReport(report, 'table')).toContain('?[31mred?');
  });
});
