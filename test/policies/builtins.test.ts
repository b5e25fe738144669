import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HOST_BUILTINS } from '../../policies/wasm/builtins.ts';
import { PolicyTrap } from '../../policies/wasm/host.ts';
import { compilePolicy, createInstance } from '../../policies/wasm/instance.ts';
import type { CompiledPolicy, PolicyInstance } from '../../policies/wasm/instance.ts';
import { printValue, readValue, ValueObject } from '../../policies/wasm/value.ts';
import type { Value } from '../../policies/wasm/value.ts';
import { startOpa } from './opa-server.ts';
import type { OpaServer } from './opa-server.ts';
import { compileRego, findTools, required, withFolder } from './toolchain.ts';

/**
 * Every built-in of our host against the real opa: one module, compiled for the one and interpreted by the other, calls
 * each function with generated arguments.
 */
const tools = await findTools();
const run = test.skipIf(tools === null);

const ARITY: Readonly<Record<string, number>> = {
  'time.date': 1,
  'time.clock': 1,
  'time.weekday': 1,
  'time.parse_rfc3339_ns': 1,
  'time.parse_duration_ns': 1,
  'time.add_date': 4,
  'semver.is_valid': 1,
  'crypto.md5': 1,
  'crypto.sha1': 1,
  'crypto.sha256': 1,
  'hex.encode': 1,
  'hex.decode': 1,
  'base64url.encode_no_pad': 1,
  'urlquery.encode': 1,
  'urlquery.decode': 1,
  'glob.quote_meta': 1,
  'net.cidr_is_valid': 1,
  'regex.replace': 3,
  'regex.find_n': 3,
  'numbers.range_step': 3,
  'strings.split_n': 3,
  'units.parse': 1,
  'units.parse_bytes': 1,
  'time.format': 1,
  'net.cidr_expand': 1,
  'net.cidr_merge': 1,
};

function moduleOf(names: readonly string[]): string {
  const calls = names.map((name) => {
    const args = Array.from({ length: ARITY[name] ?? 2 }, (_, i) => `arguments[${i}]`);
    return `answer := ordered(${name}(${args.join(', ')})) if input.name == "${name}"`;
  });
  return `decision := [answer]

arguments := [value(item) | some item in input.arguments]

value(item) := item if not is_object(item)

value(item) := {member | some member in item.set} if is_array(item.set)

value(item) := {key: {member | some member in list} | some key, list in item.sets} if is_object(item.sets)

value(item) := item.plain if is_object(item)

ordered(item) := {key: sorted(member) | some key, member in item} if is_object(item)

ordered(item) := sorted(item) if not is_object(item)

sorted(item) := sort(item) if is_set(item)

sorted(item) := item if not is_set(item)

${calls.join('\n\n')}`;
}

let server: OpaServer | null = null;
let policy: CompiledPolicy | null = null;

beforeAll(async () => {
  if (tools === null) return;
  const rego = moduleOf([...HOST_BUILTINS.keys()]);
  const { wasm } = await compileRego(tools, 'own', rego);
  policy = await compilePolicy(wasm);
  await withFolder(async (dir) => {
    await writeFile(join(dir, 'main.rego'), `package countersign.main\n\n${rego}\n`);
    server = await startOpa(required(tools).opa, dir);
  });
});

afterAll(() => server?.close());

/** The text of what opa answers, or `undefined`. */
async function answerOfOpa(json: string): Promise<string> {
  const answer = await server?.askExactly('/v1/data/countersign/main/decision', json);
  const entries = answer instanceof ValueObject ? answer.entries : [];
  const result = entries.find(([key]) => key === 'result')?.[1];
  return result === undefined ? 'undefined' : printValue(result);
}

/** Null when the host cannot answer as opa does, and says so. */
function evaluate(instance: PolicyInstance, json: string): string | null {
  try {
    return instance.evaluate(json).text;
  } catch (error) {
    if (error instanceof PolicyTrap && error.message.endsWith('is not supported')) return null;
    throw error;
  }
}

function ownAnswer(json: string): string | null {
  if (policy === null) throw new TypeError('there is no policy');
  const instance = createInstance(policy, '{}', { fuel: 5_000_000, maximumPages: 512 });
  const text = evaluate(instance, json);
  if (text === null) return null;
  const answer = readValue(text);
  const first: Value | undefined = Array.isArray(answer) ? (answer as readonly Value[])[0] : undefined;
  return first instanceof ValueObject ? printValue(first.entries[0]?.[1] ?? null) : 'undefined';
}

const word = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'aa',
  'naïve',
  '🦊',
  'x.y',
  'a+b/c',
  '100%',
  '?*[]{}\\,',
  ' ',
  '"',
  '\u0001',
);
const text = fc.oneof(
  word,
  fc.string({ maxLength: 12 }),
  fc.array(word, { maxLength: 4 }).map((list) => list.join('')),
);
const plain = fc.stringMatching(/^[ab.é🦊-]{0,10}$/u);
const odd = fc.constantFrom<unknown>(null, true, 5, ['a'], { plain: { a: 1 } });
const small = fc.integer({ min: -40, max: 40 });
const ns = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.integer({ min: 1_500_000_000, max: 2_000_000_000 }).map((s) => BigInt(s) * 1_000_000_000n),
  fc.constantFrom(0n, -1n, 2n ** 63n, -(2n ** 63n) - 1n, 951_782_400_000_000_000n),
);
const time = fc.oneof(
  ns,
  ns.map((value) => [value, 'UTC']),
  ns.map((value) => [value, '']),
  ns.map((value) => [value]),
);
const pad = (value: number, length = 2): string => String(value).padStart(length, '0');
const rfc3339 = fc
  .tuple(
    fc.integer({ min: 1670, max: 2265 }),
    fc.integer({ min: 0, max: 13 }),
    fc.integer({ min: 0, max: 32 }),
    fc.integer({ min: 0, max: 24 }),
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 0, max: 60 }),
    fc.constantFrom('', '.5', '.123456789', '.1234567891', ',25', '.'),
    fc.constantFrom('Z', '+00:00', '-23:59', '+05:30', '+24:00', '+1:00', '', 'z'),
  )
  .map(
    ([y, mo, d, h, mi, s, rest, zone]) =>
      `${pad(y, 4)}-${pad(mo)}-${pad(d)}T${pad(h)}:${pad(mi)}:${pad(s)}${rest}${zone}`,
  );
const duration = fc
  .tuple(
    fc.constantFrom('', '-', '+'),
    fc.array(
      fc
        .tuple(
          fc.constantFrom(
            '1',
            '0',
            '90',
            '1.5',
            '.5',
            '2.',
            '.',
            '',
            '0.000000001',
            '9223372036',
            '123456789012345678901',
          ),
          fc.constantFrom('h', 'm', 's', 'ms', 'us', 'µs', 'ns', '', 'x'),
        )
        .map((parts) => parts.join('')),
      { maxLength: 3 },
    ),
  )
  .map(([sign, parts]) => sign + parts.join(''));
const identifier = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('alpha', 'beta', '1', '11', '2', 'rc-1', '99999999999999999999') },
  fc.constantFrom('01', ''),
);
const version = fc
  .tuple(
    fc.constantFrom('', 'v', '', 'v', 'vv'),
    fc.oneof(
      { weight: 4, arbitrary: fc.array(fc.constantFrom('0', '1', '2', '10'), { minLength: 3, maxLength: 3 }) },
      fc.array(fc.constantFrom('0', '10', '01', '-1', '9223372036854775808'), { minLength: 2, maxLength: 4 }),
    ),
    fc.option(fc.array(identifier, { minLength: 1, maxLength: 3 })),
    fc.option(fc.array(identifier, { minLength: 1, maxLength: 2 })),
  )
  .map(([prefix, numbers, pre, build]) =>
    [
      prefix,
      numbers.join('.'),
      pre === null ? '' : `-${pre.join('.')}`,
      build === null ? '' : `+${build.join('.')}`,
    ].join(''),
  );
const pattern = fc.constantFrom(
  'a',
  'a*',
  '(a)(b)?',
  '^a',
  'a$',
  '\\b',
  '(?P<n>a+)b',
  '[ab]+',
  '',
  '|',
  '(',
  'a{2}',
  '(?i)A',
  '.',
  'é',
  '\\pL',
  'x*',
);
const replacement = fc.constantFrom('', 'x', '$1', '${1}x', '$1x', '$n', '${n}', '$$', '$', '${', '$0-$2', '[$1$2]');
const scalar = fc.constantFrom<unknown>(null, true, 1, 1.0, 2.5, 'a', 'b', '');
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const listOf = fc.array(scalar, { maxLength: 5 });
const collection = fc.oneof(
  listOf,
  listOf.map((set) => ({ set })),
  tree.map((value) => ({ plain: value })),
  fc.dictionary(fc.constantFrom('a', 'b'), listOf, { maxKeys: 2 }).map((sets) => ({ sets })),
);
const members = fc.oneof(
  text,
  fc.array(text, { maxLength: 3 }),
  fc.array(text, { maxLength: 3 }).map((set) => ({ set })),
  odd,
);
const cidr = fc
  .tuple(
    fc.constantFrom(
      '10.0.0.0',
      '10.0.0',
      '010.0.0.1',
      '256.0.0.1',
      '::',
      'fe80::1',
      'fe80::1%eth0',
      '::ffff:1.2.3.4',
      ':::',
      '',
    ),
    fc.constantFrom('/0', '/8', '/32', '/33', '/08', '/128', '/129', '/', '', '/-1', '/8/8', '/a'),
  )
  .map((parts) => parts.join(''));
const hexText = fc.oneof(
  fc.stringMatching(/^([0-7][0-9a-fA-F]){0,6}$/),
  fc.constantFrom('0', 'zz', 'c3a9', 'F09FA68A'),
);
const queryText = fc.oneof(
  fc.stringMatching(/^[a-z+%0-9]{0,8}$/).filter((s) => !/%[89a-f]/.test(s)),
  fc.constantFrom('%C3%A9', '%2', '%zz'),
);
const amount = fc
  .tuple(
    fc.constantFrom(
      '1',
      '0',
      '10',
      '1.5',
      '.5',
      '5.',
      '0.1',
      '123456789012345678901',
      '-2',
      '+3',
      '1e3',
      '1e-3',
      '2E+2',
      '1.2.3',
      '',
    ),
    fc.constantFrom(
      '',
      'm',
      'M',
      'k',
      'K',
      'Ki',
      'mi',
      'MI',
      'g',
      'GiB',
      'kb',
      'TB',
      'e',
      'E',
      'ei',
      'b',
      'x',
      ' ',
      'é',
      '"',
    ),
  )
  .map((parts) => parts.join(''));
const layout = fc.oneof(
  fc.constantFrom(
    '',
    'RFC3339',
    'RFC3339Nano',
    'ANSIC',
    'UnixDate',
    'RubyDate',
    'RFC822',
    'RFC822Z',
    'RFC850',
    'RFC1123',
    'RFC1123Z',
    '2006-01-02',
    'Kitchen',
  ),
  fc
    .array(
      fc.constantFrom(
        'January',
        'Jan',
        'Janu',
        '01',
        '1',
        'Monday',
        'Mon',
        'Mont',
        '2',
        '_2',
        '02',
        '__2',
        '002',
        '15',
        '3',
        '03',
        'PM',
        'pm',
        '4',
        '04',
        '5',
        '05',
        '.000',
        ',000000',
        '.999999999',
        '.9',
        '.01',
        '2006',
        '_2006',
        '06',
        '-0700',
        '-07:00',
        '-07',
        '-070000',
        'Z0700',
        'Z07:00',
        'Z07:00:00',
        'MST',
        ' ',
        '-',
        ':',
        'T',
        'x',
        '_',
        '0',
        '20',
      ),
      { minLength: 1, maxLength: 6 },
    )
    .map((parts) => parts.join('')),
);
const formatted = fc.oneof(time, fc.tuple(ns, fc.constantFrom('UTC', ''), layout), odd);
const smallCidr = fc
  .tuple(
    fc.constantFrom(
      '10.0.0.0',
      '10.0.0.7',
      '10.0.1.0',
      '10.0.0.128',
      '192.168.0.0',
      '0.0.0.0',
      '255.255.255.0',
      'fe80::',
      'fe80::1:0',
      '2001:db8::',
      '::',
      '10.0',
      'a',
    ),
    fc.constantFrom('/24', '/25', '/28', '/30', '/31', '/32', '/126', '/127', '/128', '/120', '', '/8', '/33', '/129'),
  )
  .map((parts) => parts.join(''));
const expandable = smallCidr.filter((text) => !/^[^:]*\/8$/.test(text) && !/:.*\/(?:8|2\d|3\d)$/.test(text));
const cidrs = fc.oneof(
  smallCidr,
  fc.array(smallCidr, { maxLength: 4 }),
  fc.array(smallCidr, { maxLength: 3 }).map((set) => ({ set })),
  fc.dictionary(fc.constantFrom('a', 'b'), smallCidr, { maxKeys: 2 }).map((plain) => ({ plain })),
  fc.array(fc.oneof(fc.tuple(smallCidr, word), fc.constant([])), { maxLength: 2 }),
  odd,
);
const vertex = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const edges = fc.oneof(fc.array(vertex, { maxLength: 3 }), fc.constantFrom<unknown>(null, 'a'));
const graph = fc.oneof(
  fc.dictionary(vertex, edges, { maxKeys: 5 }).map((plain) => ({ plain })),
  fc.dictionary(vertex, fc.array(vertex, { maxLength: 3 }), { maxKeys: 5 }).map((sets) => ({ sets })),
);
const initialVertices = fc.oneof(
  fc.array(vertex, { maxLength: 3 }),
  fc.array(vertex, { maxLength: 3 }).map((set) => ({ set })),
  odd,
);
const pathText = fc
  .array(fc.constantFrom('a', 'b', '0', '1', '2', '-', '01', '~1', '~0', ''), { maxLength: 3 })
  .map((parts) => (parts.length === 0 ? '' : `/${parts.join('/')}`));
const patchPath = fc.oneof(
  { weight: 4, arbitrary: pathText },
  fc.array(fc.constantFrom<unknown>('a', 'b', 0, 1, '-', null), { maxLength: 3 }),
  fc.constant(5),
);
const document = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '', '/', '~'), tie('value'), { maxKeys: 3 }),
  ),
})).value;
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'test'), path: patchPath, value: document }),
  fc.record({ op: fc.constantFrom('add', 'replace'), path: patchPath, value: document }),
  fc.record({ op: fc.constant('remove'), path: patchPath }),
  fc.record({ op: fc.constantFrom('move', 'copy'), path: patchPath, from: patchPath }),
  fc.record({ op: fc.constantFrom<unknown>('add', 'move', 'nothing', 5), path: patchPath }),
);
const patched = fc.oneof(
  { weight: 3, arbitrary: document.map((plain) => ({ plain })) },
  listOf.map((set) => ({ set })),
  fc.dictionary(fc.constantFrom('a', 'b'), listOf, { maxKeys: 2 }).map((sets) => ({ sets })),
);
const operations = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(operation, { maxLength: 3 }),
  },
  odd,
);
const step = fc.constantFrom<unknown>(1, 2, 3, 7, 0, -1, 1.5, 10n ** 20n, 'a');

const ARGUMENTS: Readonly<Record<string, readonly fc.Arbitrary<unknown>[]>> = {
  sprintf: [
    fc.constantFrom('%s', '%d %v', '%5v|', '%-6v|', '%%', '%v %v', 'none', '%'),
    fc.array(fc.oneof(word, small, ns, fc.constantFrom(0.5, 1e21, true, null), listOf), { maxLength: 3 }),
  ],
  'strings.any_prefix_match': [members, members],
  'strings.any_suffix_match': [members, members],
  'strings.count': [fc.oneof(plain, odd), fc.oneof(fc.constantFrom('', 'a', 'ab', 'é', '🦊'), odd)],
  'strings.split_n': [plain, fc.constantFrom('', 'a', 'ab', '🦊', '-'), fc.oneof(small, fc.constantFrom(1.5, 0, -1))],
  indexof_n: [plain, fc.constantFrom('', 'a', 'aa', 'ab', '🦊')],
  'glob.quote_meta': [text],
  'net.cidr_is_valid': [cidr],
  'crypto.md5': [text],
  'crypto.sha1': [text],
  'crypto.sha256': [fc.oneof(text, odd)],
  'crypto.hmac.md5': [text, text],
  'crypto.hmac.sha1': [text, text],
  'crypto.hmac.sha256': [text, text],
  'crypto.hmac.sha512': [text, text],
  'crypto.hmac.equal': [word, word],
  'hex.encode': [text],
  'hex.decode': [hexText],
  'base64url.encode_no_pad': [text],
  'urlquery.encode': [text],
  'urlquery.decode': [queryText],
  'regex.replace': [fc.oneof(plain, text), pattern, replacement],
  'regex.split': [pattern, fc.oneof(plain, text)],
  'regex.find_n': [pattern, fc.oneof(plain, text), fc.constantFrom(-1, 0, 1, 2)],
  'semver.is_valid': [fc.oneof(version, odd)],
  'semver.compare': [version, version],
  'object.subset': [collection, collection],
  'numbers.range_step': [small, fc.oneof(small, fc.constantFrom(2.5)), step],
  'time.date': [fc.oneof(time, odd)],
  'time.clock': [time],
  'time.weekday': [time],
  'time.parse_rfc3339_ns': [rfc3339],
  'time.parse_duration_ns': [duration],
  'time.add_date': [time, small, small, fc.oneof(small, fc.constantFrom(1.5, 100_000))],
  'time.diff': [time, time],
  'time.format': [formatted],
  'units.parse': [fc.oneof(amount, odd)],
  'units.parse_bytes': [fc.oneof(amount, odd)],
  'net.cidr_expand': [fc.oneof(expandable, odd)],
  'net.cidr_merge': [cidrs],
  'net.cidr_contains_matches': [cidrs, cidrs],
  'graph.reachable_paths': [graph, initialVertices],
  'json.patch': [patched, operations],
};

/** Of what is generated for these, some has no answer on purpose (docs/policies.md). */
const REFUSES = ['json.patch', 'net.cidr_merge'];

test('there are arguments for every built-in of the host', () => {
  expect(Object.keys(ARGUMENTS).toSorted()).toEqual([...HOST_BUILTINS.keys()].toSorted());
});

run.each(Object.entries(ARGUMENTS))(
  '%s answers as opa does',
  async (name, generators) => {
    const outcomes = { defined: 0, undefined: 0 };
    await fc.assert(
      fc.asyncProperty(fc.tuple(...generators), async (list) => {
        const json = `{"name":${JSON.stringify(name)},"arguments":${writeArguments(list)}}`;
        const own = ownAnswer(json);
        if (own === null) {
          // Asked first: some of this ends opa itself.
          expect(REFUSES).toContain(name);
          return;
        }
        const wanted = await answerOfOpa(json);
        expect(own).toBe(wanted);
        outcomes[wanted === 'undefined' ? 'undefined' : 'defined'] += 1;
      }),
      { numRuns: 60 },
    );
    expect(outcomes.defined).toBeGreaterThan(0);
  },
  60_000,
);

/** JSON with bigints as the numbers they are. */
function writeArguments(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map(writeArguments).join(',')}]`;
  return JSON.stringify(value);
}
