import { hash } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPdp, findBundle, findParameters, storeDecisive } from '../../policies/index.ts';
import { createDatabase } from '../support/postgres.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { baseline } from './toolchain.ts';

/** Bundles and parameters by the digests that entries name, with the rights of the gateway. */
let database: TestDatabase;
let sql: Sql;

beforeAll(async () => {
  database = await createDatabase();
  sql = database.connectGateway(2);
});
afterAll(() => database.drop());

test('what decided is found again by its digests, and only once in the store', async () => {
  const bundle = await baseline();
  const pdp = await createPdp({
    bundles: [bundle],
    tenantData: { acme: { models: ['gpt-*'], classification: 'public' } },
  });
  await Promise.all([storeDecisive(sql, pdp), storeDecisive(sql, pdp)]);
  await storeDecisive(sql, pdp);
  expect(await sql`select 1 from policy.store`).toHaveLength(2);

  const found = await findBundle(sql, bundle.identity.digest, 'baseline');
  expect(found?.identity).toEqual(bundle.identity);
  const parameters = await findParameters(sql, pdp.parametersDigest);
  expect(parameters).toEqual({ acme: { models: ['gpt-*'], classification: 'public' } });
  const again = await createPdp({ bundles: found === null ? [] : [found], tenantData: parameters ?? {} });
  expect(again.parametersDigest).toBe(pdp.parametersDigest);

  const nothing = '0'.repeat(64);
  expect(await findBundle(sql, nothing, 'baseline')).toBeNull();
  expect(await findParameters(sql, nothing)).toBeNull();
});

test('bytes under a digest that is not theirs are refused', async () => {
  const wrong = hash('sha256', 'wrong', 'hex');
  const bundle = await baseline();
  await sql`insert into policy.store (kind, digest, bytes) values ('bundle', ${wrong}, ${bundle.archive}), ('parameters', ${wrong}, ${Buffer.from('{}')})`;
  await expect(findBundle(sql, wrong, 'baseline')).rejects.toMatchObject({ code: 'invalid_bundle' });
  await expect(findParameters(sql, wrong)).rejects.toMatchObject({ code: 'invalid_bundle' });
});

test('the gateway adds and never changes', async () => {
  await expect(sql`update policy.store set bytes = ''`).rejects.toMatchObject({ code: '42501' });
  await expect(sql`delete from policy.store`).rejects.toMatchObject({ code: '42501' });
  await expect(database.connectAdmin(1)`delete from policy.store`).rejects.toMatchObject({ code: 'CS050' });
});
