import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  configDigest,
  configurationReference,
  loadConfig,
  parseConfig,
  planReload,
  type Config,
  type Environment,
} from '../../gateway/config.ts';

const BASE = `
providers:
  openai: { kind: openai, base_url: "https://api.openai.com/v1/", api_key: "\${KEY}", region: us, tags: [b, a] }
  local: { kind: openai, base_url: "http://127.0.0.1:11434/v1" }
  sandbox: { kind: sandbox }
models:
  - { name: fast, deployments: [{ provider: local, model: llama3.2 }, { provider: openai, model: gpt-4o-mini, tags: [c] }] }
  - { name: sandbox, deployments: [{ provider: sandbox, model: echo }] }
tenants:
  - { id: demo, budget: { daily_usd: "0.000000001", monthly_usd: "50.25" }, models: [fast] }
`;
const ENV: Environment = { KEY: 'sk-very-secret-value-0001' };

function load(text: string, env: Environment = ENV): Config {
  return parseConfig('c.yaml', text, { env });
}

function problemsOf(text: string, env: Environment = ENV): string {
  try {
    load(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'accepted';
}

describe('a valid file', () => {
  test('gives deployments with facts derived from the provider', () => {
    const config = load(BASE);
    expect(config.models.get('fast')?.deployments).toEqual([
      {
        id: 'local/llama3.2',
        provider: 'local',
        kind: 'openai',
        model: 'llama3.2',
        baseUrl: 'http://127.0.0.1:11434/v1',
        apiKey: null,
        region: 'unspecified',
        hosting: 'local',
        family: 'llama3.2',
        retentionDays: null,
        trainsOnData: null,
        tags: [],
      },
      expect.objectContaining({
        id: 'openai/gpt-4o-mini',
        baseUrl: 'https://api.openai.com/v1',
        apiKey: 'sk-very-secret-value-0001',
        region: 'us',
        hosting: 'external',
        tags: ['a', 'b', 'c'],
      }),
    ]);
    expect(config.deployments.get('sandbox/echo')).toMatchObject({
      hosting: 'local',
      retentionDays: 0,
      trainsOnData: false,
    });
  });

  test('turns decimal dollars into nano-USD exactly', () => {
    expect(load(BASE).tenants.get('demo')?.budget).toEqual({
      dailyNusd: 1n,
      weeklyNusd: null,
      monthlyNusd: 50_250_000_000n,
    });
  });

  test('contents are kept for ever, or by kind, or all for one time', () => {
    const kept = (retention: string): unknown =>
      load(BASE.replace('{ id: demo', `{ id: demo, retention: { ${retention} }`)).tenants.get('demo')?.retention;
    expect(kept('')).toEqual({ decisionDays: null, outcomeDays: null });
    expect(kept('content_days: 90')).toEqual({ decisionDays: 90, outcomeDays: 90 });
    expect(kept('content_days: 90, outcome_days: 400')).toEqual({
      decisionDays: 90,
      outcomeDays: 400,
    });
    expect(kept('decision_days: 30')).toEqual({ decisionDays: 30, outcomeDays: null });
  });

  test('the shipped file is valid without any environment', () => {
    const config = loadConfig({ path: 'countersign.yaml', env: {} });
    expect([...config.models.keys()]).toEqual(['sandbox']);
    expect(config.tenants.get('demo')?.policies).toEqual(['baseline']);
    expect(config.database.url).toBeNull();
  });

  test('a variable becomes a number or a switch only where the schema wants one', () => {
    const config = load(
      `listen: { port: "\${PORT}" }\n${BASE.replace('region: us', 'region: us, trains_on_data: "${TRAINS}"')}`,
      {
        KEY: '12345678',
        PORT: '9000',
        TRAINS: 'false',
      },
    );
    expect(config.listen.port).toBe(9000);
    expect(config.deployments.get('openai/gpt-4o-mini')).toMatchObject({ apiKey: '12345678', trainsOnData: false });
  });

  test('references work inside a string, and $${ stands for itself', () => {
    const text = BASE.replace('{ id: demo', () => '{ id: demo, labels: { who: "x-${WHO}-$${WHO}" }');
    expect(load(text, { ...ENV, WHO: 'b' }).tenants.get('demo')?.labels).toEqual({ who: 'x-b-${WHO}' });
  });
});

describe('a wrong file names the place and never the value', () => {
  const cases: [name: string, text: string, message: string][] = [
    ['unknown key', `${BASE}mcp_servers: {}`, 'mcp_servers: expected no such key here, found an unknown key'],
    [
      'unknown provider kind',
      BASE.replace('kind: sandbox', 'kind: azure'),
      'providers.sandbox.kind: expected one of openai, anthropic, sandbox, found "azure"',
    ],
    [
      'money as a number',
      BASE.replace('"50.25"', '50.25'),
      'tenants[0].budget.monthly_usd: expected a string, found the number 50.25',
    ],
    [
      'too fine money',
      BASE.replace('"50.25"', '"0.0000000001"'),
      'tenants[0].budget.monthly_usd: expected an amount in US dollars',
    ],
    [
      'unknown provider',
      BASE.replace('provider: sandbox', 'provider: nowhere'),
      'models[1].deployments[0].provider: expected one of openai, local, sandbox, found a provider that is not configured',
    ],
    [
      'unknown bundle',
      BASE.replace('{ id: demo', '{ id: demo, policies: [mine]'),
      'tenants[0].policies[0]: expected baseline, library, agents or a name in policies.bundles',
    ],
    [
      'additions to a baseline that is not there',
      BASE.replace('{ id: demo', '{ id: demo, policies: [library, agents]'),
      'tenants[0].policies: expected baseline as well, beside library, agents, found a list without baseline',
    ],
    [
      'unknown model of a tenant',
      BASE.replace('models: [fast]', 'models: [slow]'),
      'tenants[0].models[0]: expected a name in models',
    ],
    [
      'wrong type',
      `listen: { port: eighty }\n${BASE}`,
      'line 1, listen.port: expected a number, found a string of 6 characters',
    ],
    ['too large', `listen: { port: 70000 }\n${BASE}`, 'listen.port: expected at most 65535, found the number 70000'],
    ['missing', 'providers: {}\nmodels: []\n', 'tenants: expected a list, found nothing'],
    [
      'the prototype key',
      BASE.replace('  sandbox:', '  __proto__: { kind: sandbox }\n  sandbox:'),
      'providers.__proto__: expected another key',
    ],
    [
      'database without keys',
      `database: { url: "postgres://u:hunter2@h/db" }\n${BASE}`,
      'keys: expected a key provider, because database.url is set, found nothing',
    ],
    ['duplicate tenant', `${BASE}  - { id: demo }`, 'tenants[1].id: expected an id used once'],
    [
      'one id with two meanings',
      BASE.replace('model: echo }', 'model: echo }, { provider: openai, model: gpt-4o-mini, region: eu }'),
      'expected the same facts wherever openai/gpt-4o-mini is used',
    ],
  ];
  for (const [name, text, message] of cases) {
    test(name, () => {
      const found = problemsOf(text);
      expect(found).toContain(message);
      expect(found).not.toMatch(/hunter2|sk-very-secret/);
    });
  }

  test('a missing variable names the key path and the variable', () => {
    expect(problemsOf(BASE, {})).toContain(
      'line 3, providers.openai.api_key: expected the environment variable KEY to be set',
    );
  });

  test('a malformed reference, a duplicate key, an alias and broken YAML are refused', () => {
    expect(problemsOf(BASE.replace('${KEY}', '${KEY:-x}'))).toContain('expected a reference of the form ${NAME}');
    expect(problemsOf(`${BASE}tenants: []`)).toContain('duplicate key');
    expect(problemsOf('providers: &a {}\nmodels: *a')).toContain('models: expected the value itself');
    expect(problemsOf(`x: [sk-very-secret\n${BASE}`)).toContain('expected valid YAML');
  });

  test('a secret in the wrong place is described, not shown', () => {
    const found = problemsOf(BASE.replace('region: us', 'hosting: sk-very-secret-value-0001'));
    expect(found).toContain('found a string of 25 characters');
    expect(found).not.toContain('secret');
  });

  test('all problems are reported at once', () => {
    expect(problemsOf(BASE.replace('models: [fast]', 'models: [slow], policies: [mine]')).split('\n')).toHaveLength(3);
  });

  test('parameters of the shipped policies are checked', () => {
    const withParameters = (text: string): string => BASE.replace('{ id: demo', `{ id: demo, parameters: ${text}`);
    expect(problemsOf(withParameters('{ regions: 5 }'))).toContain('tenants[0].parameters.regions: expected a list');
    expect(problemsOf(withParameters('{ region: [eu] }'))).toContain(
      'tenants[0].parameters.region: expected no such key',
    );
    expect(load(withParameters('{ regions: [eu] }')).tenants.get('demo')?.parameters).toMatchObject({
      regions: ['eu'],
    });
  });

  test('an unreadable file', () => {
    expect(() => loadConfig({ path: '/nowhere/c.yaml', env: {} })).toThrow('expected a readable file');
  });
});

describe('addresses', () => {
  const refused = [
    'http://api.openai.com/v1',
    'http://10.0.0.5/v1',
    'https://169.254.169.254/v1',
    'http://169.254.169.254/latest',
    'https://0xA9FEA9FE/',
    'https://[::ffff:169.254.169.254]/',
    'https://[fe80::1]/',
    'https://metadata.google.internal/',
    'https://user:pw@host/',
    'https://host/?a=b',
    'ftp://host/',
    'file:///etc/passwd',
    'not an address',
  ];
  const accepted = [
    'https://10.0.0.5/v1',
    'http://127.0.0.1:1/v1',
    'http://localhost:1',
    'http://[::1]:1',
    'https://h.example/v1',
  ];
  const withUrl = (url: string): string => BASE.replace('"http://127.0.0.1:11434/v1"', JSON.stringify(url));
  test.each(refused)('%s is refused', (url) =>
    expect(problemsOf(withUrl(url))).toContain('providers.local.base_url: expected an'),
  );
  test.each(accepted)('%s is accepted', (url) => expect(problemsOf(withUrl(url))).toBe('accepted'));
});

describe('token issuers', () => {
  const issuer = (extra: string): string =>
    `${BASE}auth: { jwt: { issuers: [{ name: idp, issuer: "https://id.example", audience: [cs], ${extra} }] } }`;

  test('symmetric and missing algorithms are refused', () => {
    expect(problemsOf(issuer('tenant: demo, algorithms: [HS256]'))).toContain('algorithms[0]: expected one of RS256');
    expect(problemsOf(issuer('tenant: demo, algorithms: [none]'))).toContain('algorithms[0]: expected one of RS256');
    expect(problemsOf(issuer('tenant: demo, algorithms: []'))).toContain('expected at least 1 elements');
  });

  test('exactly one source of the tenant, and only known tenants', () => {
    expect(problemsOf(issuer('type: user'))).toContain('exactly one of tenant and tenant_claim, found neither');
    expect(problemsOf(issuer('tenant: demo, tenant_claim: org'))).toContain('found both');
    expect(problemsOf(issuer('tenant: other'))).toContain('tenant: expected a configured tenant id');
    expect(problemsOf(issuer('tenant_claim: org, tenant_map: { acme: other }'))).toContain('tenant_map.acme: expected');
    expect(problemsOf(issuer('tenant_claim: org, tenant_map: { acme: demo }'))).toBe('accepted');
  });
});

describe('digest and reload', () => {
  test('the printable form has no secret and the digest does not depend on one', () => {
    const config = load(BASE);
    expect(JSON.stringify(config.printable)).not.toContain('sk-very');
    expect(configDigest(config)).toMatch(/^[0-9a-f]{64}$/);
    expect(configDigest(load(BASE, { KEY: 'another' }))).toBe(configDigest(config));
    expect(configDigest(load(BASE.replace('region: us', 'region: eu')))).not.toBe(configDigest(config));
  });

  test('the digest does not depend on the order of keys or on comments', () => {
    const [providers = '', models = ''] = BASE.split('models:\n', 2);
    expect(configDigest(load(`# note\nmodels:\n${models}${providers}`))).toBe(configDigest(load(BASE)));
  });

  test('a plan lists what changes, or refuses the whole file', () => {
    const current = load(BASE);
    expect(planReload(current, load(BASE))).toEqual({ outcome: 'unchanged' });
    expect(planReload(current, load(BASE.replace('region: us', 'region: eu')))).toEqual({
      outcome: 'apply',
      changed: ['providers.openai.region'],
    });
    expect(planReload(current, load(BASE, { KEY: 'rotated' }))).toEqual({
      outcome: 'apply',
      changed: ['providers.openai.api_key'],
    });
    expect(planReload(current, load(`listen: { port: 1 }\n${BASE.replace('region: us', 'region: eu')}`))).toEqual({
      outcome: 'refused',
      restartNeeded: ['listen.port'],
    });
  });
});

describe('the generated reference', () => {
  test('has a row for every key of the shipped file and every section of the schema', () => {
    const reference = configurationReference();
    for (const key of [
      'listen.admin_port',
      'providers.* (openai).base_url',
      'models[].deployments[].provider',
      'tenants[].budget.monthly_usd',
      'auth.jwt.issuers[].audience',
      'ledger.lease_ms',
      'prices.overrides[].from',
    ]) {
      expect(reference).toContain(`| \`${key}\` |`);
    }
    expect(reference).not.toMatch(/undefined|\[object/);
  });

  test('every row explains its key', () => {
    const rows = configurationReference()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(rows.filter((row) => !row.includes('[].parameters.') && /\|\s*\|$/.test(row))).toEqual([]);
  });
});
