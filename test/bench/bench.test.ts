import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aims, floorChecks } from './goals.ts';
import { ResponseReader } from './http-response.ts';
import { readOptions } from './options.ts';
import { jsonLine } from './print.ts';
import { median, percentile, Samples } from './statistics.ts';

const BODY = '{"a":1}';
const LENGTH = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\nServer-Timing: auth;dur=0.1\r\n\r\n${BODY}`;
const CHUNKED = `HTTP/1.1 429 Too Many\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n${BODY.slice(0, 3)}\r\n4\r\n${BODY.slice(3)}\r\n0\r\n\r\n`;

describe('ResponseReader', () => {
  test('reads answers of both kinds, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(LENGTH, CHUNKED), { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(40)),
        (answers, cuts) => {
          let body = '';
          const reader = new ResponseReader((bytes) => {
            body += bytes.toString();
          });
          const statuses: number[] = [];
          for (const answer of answers) {
            let rest = Buffer.from(answer);
            for (const cut of [...cuts, answer.length]) {
              if (rest.length === 0) break;
              const found = reader.push(rest.subarray(0, Math.max(1, cut)));
              rest = rest.subarray(Math.max(1, cut));
              if (found !== null) statuses.push(found.status);
            }
          }
          expect(statuses).toEqual(answers.map((answer) => (answer === LENGTH ? 200 : 429)));
          expect(body).toBe(BODY.repeat(answers.length));
        },
      ),
    );
  });

  test('keeps the header block', () => {
    expect(new ResponseReader().push(Buffer.from(LENGTH))).toMatchObject({
      status: 200,
      bodyBytes: 7,
      head: expect.stringContaining('server-timing: auth;dur=0.1') as string,
    });
  });
});

test('percentiles by nearest rank', () => {
  expect([0.5, 0.99, 1].map((part) => percentile([1, 2, 3, 4], part))).toEqual([2, 4, 4]);
  expect(median([9, 1, 5])).toBe(5);
  expect(percentile([], 0.5)).toBeNaN();
  const samples = new Samples();
  for (let value = 70_000; value > 0; value -= 1) samples.add(value);
  expect(samples.sorted()).toHaveLength(70_000);
  expect(percentile(samples.sorted(), 0.5)).toBe(35_000);
});

describe('options', () => {
  test('defaults measure everything', () => {
    expect(readOptions([])).toMatchObject({
      seconds: 3,
      rounds: 3,
      memorySeconds: 60,
      json: false,
      only: null,
      targets: ['direct', 'proxy', 'countersign', 'portkey'],
    });
  });

  test('--only takes a group or a figure of it', () => {
    expect(readOptions(['--only', 'c8'])).toMatchObject({ groups: ['c8'] });
    expect(readOptions(['--only', 'c8.countersign'])).toMatchObject({ groups: ['c8'], only: 'c8.countersign' });
  });

  test.each([
    [['--only', 'c9']],
    [['--only', 'c']],
    [['--targets', 'kong']],
    [['--seconds', '0']],
    [['--rounds', 'x']],
    [['--entries', '15']],
    [['--fast']],
  ])('refuses %j', (args) => {
    expect(readOptions(args)).toBeTypeOf('string');
  });
});

describe('goals', () => {
  const rps = (connections: number, ratio: number) => ({
    name: `c${connections}.countersign.rps`,
    value: 1,
    unit: 'req/s',
    ratio,
    against: 'portkey',
  });

  test('the floor is asserted per concurrency', () => {
    expect(floorChecks([rps(8, 1.5), rps(32, 2.49), rps(1, 0.1)]).map(({ ok }) => ok)).toEqual([true, false]);
    expect(floorChecks([])).toEqual([]);
  });

  test('a snapshot may cost the ledger a fifth, and a long log a fifth more than a short one', () => {
    const figures = (beside: number, grown: number) => [
      { name: 'ledger.snapshot.rate', value: 1, unit: 'entries/s', ratio: beside },
      { name: 'ledger.long.cost', value: 1, unit: 'us', ratio: grown },
    ];
    expect(floorChecks(figures(0.8, 1.2)).map(({ ok }) => ok)).toEqual([true, true]);
    expect(floorChecks(figures(0.79, 1.21)).map(({ ok }) => ok)).toEqual([false, false]);
  });

  test('what one connection may add is two appends and 0.7 ms', () => {
    const figure = (name: string, value: number) => ({ name, value, unit: 'us' });
    const base = [figure('c1.direct.p50', 70), figure('stages.c1.record', 400), figure('stages.c1.outcome', 300)];
    expect(aims([...base, figure('c1.countersign.p50', 1470)]).map(({ ok }) => ok)).toEqual([true]);
    expect(aims([...base, figure('c1.countersign.p50', 1471)]).map(({ ok }) => ok)).toEqual([false]);
  });
});

test('json lines have the fixed shape', () => {
  expect(
    jsonLine({ name: 'c8.countersign.rps', value: 3229.04, unit: 'req/s', ratio: 1.91149, against: 'portkey' }),
  ).toBe('{"name":"c8.countersign.rps","value":3229,"unit":"req/s","ratio":1.911,"against":"portkey"}');
  expect(jsonLine({ name: 'noise.spin_p50', value: 1, unit: 'us' })).toBe(
    '{"name":"noise.spin_p50","value":1,"unit":"us"}',
  );
});
