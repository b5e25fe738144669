/** Whoever a request or an answer names is found again by the sealed index of findings. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findPerson } from '../../../ledger/index.ts';
import { ChatStand, MODEL } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({ tenants: { demo: '{ record: { content: digest } }' } });
  stand.mock.set({ content: 'Her number is +44 20 7946 0958, not Eve@Example.org.', chunks: 9 });
});
afterAll(() => stand.stop());

async function kindsNaming(type: string, value: string): Promise<string[]> {
  const sql = stand.gateway.database.connectAdmin(1);
  const found = await findPerson(sql, stand.gateway.keys, 'demo', { named: { type, value } });
  expect(found.unknown).toBe(0);
  return found.entries.map(({ kind }) => kind);
}

const body = (content: string, stream: boolean): string =>
  JSON.stringify({ model: MODEL, stream, messages: [{ role: 'user', content }] });

test('in a request, in an answer of one piece and in a streamed one', async () => {
  await stand.send({ tenant: 'demo', body: body('mail Joe@example.org and 192.0.2.7', false) });
  await stand.send({ tenant: 'demo', body: body('hello', false) });
  await stand.send({ tenant: 'demo', body: body('hello', true) });
  expect(await kindsNaming('EMAIL_ADDRESS', 'joe@example.org')).toEqual(['decision']);
  expect(await kindsNaming('EMAIL_ADDRESS', 'eve@example.org')).toEqual(['outcome', 'outcome', 'outcome']);
  expect(await kindsNaming('PHONE_NUMBER', '+442079460958')).toHaveLength(3);
  expect(await kindsNaming('EMAIL_ADDRESS', 'nobody@example.org')).toEqual([]);
});
