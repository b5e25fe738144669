/**
 * Durable entries a second through the product's own writer, in a process of its own: budgets, roles, signatures and link check
 * included, fsync on. Prints figures and checks as JSON.
 */
import { PRICE_NUSD, runLoad, SUBJECTS, type BenchTenant, type LoadRow, type Shape } from './ledger-load.ts';
import { LedgerStand } from './ledger-stand.ts';
import type { Figure } from './measure.ts';
import { median } from './statistics.ts';
import type { Check } from './targets.ts';

interface Options {
  readonly seconds: number;
  readonly rounds: number;
  /** Length of the long run; 0: none. */
  readonly entries: number;
}

const LOGS = 100;
/** Every subject once: making a key for it is not what is measured. */
const WARM_ENTRIES = 2 * SUBJECTS * (LOGS + 1);

class LedgerBench {
  readonly #stand: LedgerStand;
  readonly #options: Options;
  #appended = 0;

  constructor(stand: LedgerStand, options: Options) {
    this.#stand = stand;
    this.#options = options;
  }

  async run(): Promise<{ figures: Figure[]; checks: Check[] }> {
    const one = [await this.#tenant('one')];
    const many: BenchTenant[] = [];
    for (let index = 0; index < LOGS; index += 1) many.push(await this.#tenant(`t-${String(index)}`));
    await this.#load({ tenants: [...one, ...many], callers: 32, entries: WARM_ENTRIES });
    const figures = [...(await this.#rates(one, many)), ...(await this.#long())];
    const checks = await this.#stand.checks(this.#appended, BigInt(this.#appended / 2) * PRICE_NUSD);
    return { figures, checks };
  }

  async #tenant(id: string): Promise<BenchTenant> {
    return { id, scopes: await this.#stand.limit(id) };
  }

  async #load(shape: Shape): Promise<LoadRow> {
    const row = await runLoad(this.#stand, shape);
    this.#appended += row.entries;
    return row;
  }

  /** All shapes in each round, so that a slow minute hits all alike. */
  async #rates(one: readonly BenchTenant[], many: readonly BenchTenant[]): Promise<Figure[]> {
    const { seconds, rounds } = this.#options;
    const shapes: readonly (readonly [string, Shape])[] = [
      ['ledger.c1', { tenants: one, callers: 1, seconds }],
      ['ledger.c32', { tenants: one, callers: 32, seconds }],
      ['ledger.logs100', { tenants: many, callers: 32, seconds }],
      ['ledger.c8', { tenants: one, callers: 8, seconds }],
    ];
    const rows = new Map([...shapes.map(([name]) => name), 'ledger.snapshot'].map((name) => [name, [] as LoadRow[]]));
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, shape] of shapes) rows.get(name)?.push(await this.#load(shape));
      rows.get('ledger.snapshot')?.push(await this.#underSnapshot({ tenants: one, callers: 8, seconds }));
    }
    const plain = rows.get('ledger.c8') ?? [];
    return [...rows].flatMap(([name, list]) => figuresOf(name, list, name === 'ledger.snapshot' ? plain : []));
  }

  /** What a snapshot costs grows with what is written while it lives: it is open for as long again before the measurement. */
  async #underSnapshot(shape: Shape): Promise<LoadRow> {
    const release = await this.#stand.holdSnapshot();
    try {
      await this.#load(shape);
      return await this.#load(shape);
    } finally {
      await release();
    }
  }

  /** One log that grows: what the last tenth costs beside the first. */
  async #long(): Promise<Figure[]> {
    const { entries } = this.#options;
    if (entries === 0) return [];
    const tenth = Math.floor(entries / 10);
    const atMs = new Map<number, number>();
    const mark = (count: number): [number, () => void] => [count, () => void atMs.set(count, performance.now())];
    const marks = new Map([mark(tenth), mark(entries - tenth), mark(entries)]);
    const startedMs = performance.now();
    await this.#load({ tenants: [await this.#tenant('long')], callers: 32, entries, marks });
    const first = (atMs.get(tenth) ?? Number.NaN) - startedMs;
    const last = (atMs.get(entries) ?? Number.NaN) - (atMs.get(entries - tenth) ?? Number.NaN);
    const rate = (ms: number): number => (tenth / ms) * 1000;
    return [
      { name: 'ledger.long.first', value: rate(first), unit: 'entries/s' },
      { name: 'ledger.long.last', value: rate(last), unit: 'entries/s' },
      { name: 'ledger.long.cost', value: (last / tenth) * 1000, unit: 'us', ratio: last / first, against: 'first tenth' },
    ]; // prettier-ignore
  }
}

function figuresOf(name: string, rows: readonly LoadRow[], plain: readonly LoadRow[]): Figure[] {
  const rate = (row: LoadRow): number => row.entries / row.seconds;
  const of = (read: (row: LoadRow) => number): number => median(rows.map(read));
  // Only figures of the same round are divided by each other.
  const ratios = rows.flatMap((row, round) => (plain[round] === undefined ? [] : [rate(row) / rate(plain[round])]));
  const compared = ratios.length === 0 ? {} : { ratio: median(ratios), against: 'no snapshot' };
  const backend = rows.flatMap(({ backendUs }) => backendUs ?? []);
  return [
    { name: `${name}.rate`, value: of(rate), unit: 'entries/s', ...compared },
    { name: `${name}.p50`, value: of((row) => row.p50Us), unit: 'us' },
    { name: `${name}.p99`, value: of((row) => row.p99Us), unit: 'us' },
    { name: `${name}.batch`, value: of((row) => row.batch), unit: 'entries' },
    { name: `${name}.cpu_node`, value: of((row) => row.nodeUs), unit: 'us' },
    ...(backend.length === 0 ? [] : [{ name: `${name}.cpu_backend`, value: median(backend), unit: 'us' }]),
  ];
}

async function main(root: string, options: Options): Promise<void> {
  const stand = await LedgerStand.open(root);
  try {
    process.stdout.write(JSON.stringify(await new LedgerBench(stand, options).run()));
  } finally {
    await stand.close();
  }
}

await main(process.argv[2] ?? process.cwd(), JSON.parse(process.argv[3] ?? '{}') as Options);
