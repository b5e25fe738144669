import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleFiles, parseConfig, type Config } from '../../gateway/config.ts';
import { buildCurrent } from '../../gateway/current.ts';
import { requestInput } from '../policies/facts.ts';

/** Which compiled policies a configuration is served with. */
const DIST = join(process.cwd(), 'policies', 'dist');
const places = { shippedBundles: DIST, resolvePath: (path: string): string => `/etc/${path}` };

function configured(tenants: string, bundles = '{}'): Config {
  const text = `
providers: { sandbox: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: sandbox, model: echo }] }]
policies: { bundles: ${bundles} }
tenants: ${tenants}`;
  return parseConfig('c.yaml', text, { env: {} });
}

test('the baseline is always there, other shipped bundles where a tenant names them', () => {
  expect([...bundleFiles(configured('[{ id: a }]'), places)]).toEqual([['baseline', join(DIST, 'baseline.tar.gz')]]);
  const two = configured('[{ id: a }, { id: b, policies: [baseline, agents, own] }]', '{ own: own.tar.gz }');
  expect([...bundleFiles(two, places)]).toEqual([
    ['baseline', join(DIST, 'baseline.tar.gz')],
    ['agents', join(DIST, 'agents.tar.gz')],
    ['own', '/etc/own.tar.gz'],
  ]);
});

test("a tenant's frameworks and parameters reach the shipped bundles it names", async () => {
  const tenants = `
  - { id: acme, policies: [baseline, library], frameworks: [hipaa], parameters: { use: { purpose: care } } }
  - { id: other }`;
  const current = await buildCurrent(configured(tenants), places);
  expect(current.bundles.get('acme')?.map(({ name }) => name)).toEqual(['baseline', 'library']);
  const call = requestInput({ tenant: { id: 'acme', region: null, frameworks: ['hipaa'], labels: {} } });
  const ruled = current.pdp.evaluate(current.config.tenants.get('acme')?.policies ?? [], call);
  expect(ruled).toMatchObject({ decision: { effect: 'deny', reasons: [{ rule: 'hipaa.baa' }] } });
  const free = current.pdp.evaluate(current.config.tenants.get('other')?.policies ?? [], call);
  expect(free).toMatchObject({ decision: { effect: 'allow' } });
});
