import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, type Config } from '../../gateway/config.ts';
import { planReload } from '../../gateway/config/reload.ts';
import { publishCheckpoint } from '../../ledger/epoch/notary.ts';
import { readAnchorStatus } from '../../ledger/index.ts';
import { createNoteSigner, formatVerifierKey } from '../../ledger/note/key.ts';
import { parsePolicy } from '../../ledger/witness/policy.ts';
import { createWitnessState } from '../../ledger/witness/state.ts';
import { startWitness } from '../support/anchors.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { createTestNotary, TEST_CHECKPOINT_KEY } from '../support/notary.ts';
import { startAuthority } from '../support/timestamp-authority.ts';

const BASE = `providers: { s: { kind: sandbox } }
models: [{ name: sandbox, deployments: [{ provider: s, model: echo }] }]
tenants: [{ id: demo }]
`;

test('a gateway has its checkpoints cosigned and stamped, and says how old the newest anchor is', async () => {
  const folder = temporaryFolder();
  const { key } = createNoteSigner('countersign.local/0', 'ed25519', TEST_CHECKPOINT_KEY);
  const policy = parsePolicy(`log ${formatVerifierKey(key)}\nquorum none\n`);
  const witness = await startWitness({ policy, state: createWitnessState(join(folder, 'state')) });
  const authority = await startAuthority({ key: 'ec' });
  writeFileSync(join(folder, 'trust.policy'), `witness w ${witness.vkey} ${witness.url}\nquorum w\n`);
  writeFileSync(join(folder, 'tsa.pem'), authority.ca);
  const gateway = await startTestGateway(`${BASE}ledger:
  epoch_busy_ms: 200
  epoch_idle_ms: 1000
  witnesses: ${join(folder, 'trust.policy')}
  tsa: { test: { url: "${authority.url}", every_ms: 1000, certificates: ${join(folder, 'tsa.pem')} } }
`);
  const notary = createTestNotary(gateway.database);
  const { token } = await gateway.createKey({ tenant: '_deployment', roles: ['auditor'] });
  const metric = async (name: string): Promise<number> => {
    const response = await fetch(`${gateway.adminUrl}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    const line = (await response.text()).split('\n').find((each) => each.startsWith(name)) ?? ' NaN';
    return Number(line.slice(line.lastIndexOf(' ') + 1).replace('+Inf', 'Infinity'));
  };
  const age = (kind: string): Promise<number> => metric(`countersign_ledger_anchor_age_seconds{kind="${kind}"}`);
  await expect.poll(() => age('tsa'), { timeout: 30_000 }).toBe(Number.POSITIVE_INFINITY);
  await expect.poll(() => publishCheckpoint(notary), { timeout: 30_000 }).not.toBeNull();
  for (const kind of ['witness', 'tsa']) await expect.poll(() => age(kind), { timeout: 30_000 }).toBeLessThan(60);
  expect(await age('archive')).toBeNaN();
  expect([await metric('countersign_ledger_anchors_failing'), await metric('countersign_ledger_witnesses_forked')]).toEqual([0, 0]); // prettier-ignore
  const { newest, checkpointSize } = await readAnchorStatus(gateway.database.connectAdmin(1), null);
  expect([newest.witness?.size, newest.tsa?.size]).toEqual([checkpointSize, checkpointSize]);
  await gateway.stop();
  await notary.close();
  await witness.close();
  await authority.close();
});

const ARCHIVE = 'bucket: evidence, access_key_id: k, secret_access_key: hidden-secret';

describe('settings', () => {
  test('the secret of the archive is not printed, and a new one needs a restart', () => {
    const config = load(`{ archive: { ${ARCHIVE}, url: "https://s3.example/" } }`);
    expect(config.ledger.archive).toMatchObject({ url: 'https://s3.example', secretAccessKey: 'hidden-secret', lock: 'compliance' }); // prettier-ignore
    expect(JSON.stringify(config.printable)).not.toContain('hidden-secret');
    const next = load(`{ archive: { ${ARCHIVE.replace('hidden', 'other')}, url: "https://s3.example/" } }`);
    const restartNeeded = ['ledger.archive.secret_access_key'];
    expect(planReload(config, next)).toEqual({ outcome: 'refused', restartNeeded });
  });

  const load = (text: string): Config => {
    const path = join(temporaryFolder(), 'countersign.yaml');
    writeFileSync(path, `${BASE}ledger: ${text}\n`);
    return loadConfig({ path, env: {} });
  };

  test.each([
    ['{ tsa: { a: { url: "http://tsa.example/" } } }', 'https'],
    ['{ tsa: { a: { url: "https://169.254.169.254/" } } }', 'link-local'],
    ['{ tsa: { "A b": { url: "https://tsa.example/" } } }', 'ledger.tsa'],
    ['{ tsa: { a: { url: "https://tsa.example/", every_ms: 1 } } }', 'every_ms'],
    ['{ witness: x }', 'witness'],
    [`{ archive: { ${ARCHIVE}, url: "http://s3.example" } }`, 'https'],
    [`{ archive: { ${ARCHIVE}, url: "https://s3.example", prefix: "../" } }`, 'prefix'],
    [`{ archive: { ${ARCHIVE}, url: "https://s3.example", lock: "forever" } }`, 'lock'],
  ])('%s is refused', (text, problem) => {
    expect(() => load(text)).toThrow(problem);
  });

  test.each([
    ['no file', null, 'a file that can be read'],
    ['no policy', 'trust me', 'line 1'],
    ['a witness over plain http', 'witness w VKEY http://witness.example/\nquorum w\n', 'https'],
  ])('a policy file with %s stops the start', async (_name, text, problem) => {
    const file = join(temporaryFolder(), 'trust.policy');
    const vkey = formatVerifierKey(createNoteSigner('w.test', 'cosignature', Buffer.alloc(32, 2)).key);
    if (text !== null) writeFileSync(file, text.replace('VKEY', vkey));
    await expect(startTestGateway(`${BASE}ledger: { witnesses: ${file} }\n`)).rejects.toThrow(problem);
  });
});
