/** Detectors of other services: what they find is treated like everything found here; one that fails is not passed over. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ChatStand, facts } from '../chat/stand.ts';
import type { Behaviour, NameService } from './name-service.ts';
import { startNameService } from './name-service.ts';

let names: NameService;
let stand: ChatStand;
beforeAll(async () => {
  names = await startNameService();
  stand = await ChatStand.start({
    tenants: { open: '{ modalities: [detector] }' },
    sections: `
redaction:
  remote_analyzers:
    names: { url: "${names.url}/", api_key: "key-of-the-detector", entities: [PERSON, LOCATION], timeout_ms: 1000, max_chars: 5000 }
`,
  });
});
afterAll(async () => {
  await stand.stop();
  await names.close();
});
beforeEach(() => {
  names.behaviour = 'well';
  names.requests.length = 0;
});

describe('names found elsewhere', () => {
  test('do not reach the provider, and come back to the caller', async () => {
    const answer = await stand.ask('🙂 Jane Doe lives in Köln, mail jane@example.org. Łukasz too.');
    expect(answer.status).toBe(200);
    expect(stand.upstreamBody).toMatch(
      /🙂 <PERSON_[a-z]{8,}> lives in <LOCATION_[a-z]{8,}>, mail <EMAIL_ADDRESS_[a-z]{8,}>\. <PERSON_[a-z]{8,}> too\./u,
    );
    const { decision } = facts(await stand.record(answer));
    expect(decision).toMatchObject({ scanned: { remote: ['remote:names'] }, unscanned: [] });
    expect(await stand.clearLedger()).not.toMatch(/Jane Doe|Köln/);
    const [placeholder = ''] = /<PERSON_[a-z]+>/.exec(stand.upstreamBody) ?? [];
    stand.mock.next({ content: `Hello ${placeholder}!` });
    expect((await stand.ask('I am Jane Doe')).text).toContain('Hello Jane Doe!');
  });

  test('are asked for with a bounded request and nothing of the caller', async () => {
    const image = `data:image/png;base64,${'A'.repeat(64)}`;
    await stand.ask({
      messages: [
        { role: 'system', content: 'Be kind' },
        { role: 'user', content: `Jane Doe ${image}` },
        { role: 'user', content: '12345' },
        { role: 'user', content: 'Be kind' },
      ],
    });
    const [request] = names.requests;
    expect(request?.headers.authorization).toBe('Bearer key-of-the-detector');
    expect(JSON.stringify(request?.headers)).not.toContain(stand.key());
    expect(request?.body).toMatchObject({ language: 'en', entities: ['PERSON', 'LOCATION'], score_threshold: 0.35 });
    const texts = request?.body.text ?? [];
    expect(texts.filter((one) => one === 'Be kind')).toHaveLength(1);
    expect(texts).not.toContain('12345');
    expect(texts.join()).not.toContain('AAAA');
  });

  test('cost no secret: the configuration is shown without the key', () => {
    expect(JSON.stringify(stand.gateway.config.printable)).not.toContain('key-of-the-detector');
  });

  test('below the least score are left', async () => {
    names.behaviour = 'unsure';
    await stand.ask('Jane Doe');
    expect(stand.upstreamBody).toContain('Jane Doe');
  });
});

describe('a detector that fails', () => {
  const failures: Behaviour[] = [
    'down',
    'slow',
    'garbage',
    'elsewhere',
    'too few',
    'lower case',
    'endless',
    'redirect',
  ];

  test.each(failures)('(%s) stops the call', async (behaviour) => {
    names.behaviour = behaviour;
    const sent = stand.mock.counters.requests;
    const answer = await stand.ask('Jane Doe');
    expect([answer.status, stand.mock.counters.requests - sent]).toEqual([403, 0]);
    expect(answer.text).not.toContain('Jane');
    const { decision } = facts(await stand.record(answer));
    expect(decision).toMatchObject({
      effect: 'deny',
      rules: expect.arrayContaining(['modalities.unscanned']) as string[],
      unscanned: [{ what: 'detector', path: '' }],
    });
    expect(decision['scanned']).not.toHaveProperty('remote');
  });

  test('for more text than it may get stops the call without being asked', async () => {
    const answer = await stand.ask('Jane Doe '.repeat(600));
    expect([answer.status, names.requests.length]).toEqual([403, 0]);
  });

  test('is passed over where the tenant says so, and the entry says it was', async () => {
    names.behaviour = 'down';
    const answer = await stand.ask('Jane Doe', {}, { tenant: 'open' });
    expect(answer.status).toBe(200);
    const { decision } = facts(await stand.record(answer, 'open'));
    expect(decision).toMatchObject({ effect: 'allow', unscanned: [{ what: 'detector', path: '' }] });
  });
});
