/** What cannot be scanned is refused unless the tenant allows it, and is named in the entry either way. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from './client.ts';
import { errorOf } from './client.ts';
import { ChatStand, facts, MODEL } from './stand.ts';

let stand: ChatStand;

beforeAll(async () => {
  stand = await ChatStand.start({
    tenants: {
      visual: '{ modalities: [image], url_hosts: [images.example.com, "*.cdn.example.net"] }',
      everything: '{ modalities: [image, audio, video, file], url_hosts: [images.example.com] }',
    },
  });
});
afterAll(() => stand.stop());

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const image = (url: string): Json => ({ type: 'image_url', image_url: { url, detail: 'low' } });
const INLINE = image(`data:image/png;base64,${base64('\u0089PNG not really')}`);
const AUDIO: Json = { type: 'input_audio', input_audio: { data: base64('RIFF'), format: 'wav' } };
const FILE: Json = {
  type: 'file',
  file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${base64('%PDF')}` },
};
const FILE_ID: Json = { type: 'file', file: { file_id: 'file-123' } };
const VIDEO: Json = { type: 'video_url', video_url: { url: `data:video/mp4;base64,${base64('ftyp')}` } };

function parts(...content: Json[]): Json {
  return { messages: [{ role: 'user', content: [{ type: 'text', text: 'look' }, ...content] }] };
}

test.each([
  ['demo', 'image', INLINE, 403],
  ['demo', 'audio', AUDIO, 403],
  ['demo', 'file', FILE, 403],
  ['demo', 'file', FILE_ID, 403],
  ['demo', 'video', VIDEO, 403],
  ['visual', 'image', INLINE, 200],
  ['visual', 'audio', AUDIO, 403],
  ['visual', 'file', FILE, 403],
  ['everything', 'image', INLINE, 200],
  ['everything', 'audio', AUDIO, 200],
  ['everything', 'file', FILE, 200],
  ['everything', 'file', FILE_ID, 200],
  ['everything', 'video', VIDEO, 200],
])('%s: %s %#', async (tenant, what, part, status) => {
  const body = JSON.stringify({ model: MODEL, ...parts(part) });
  const before = stand.mock.counters.requests;
  const answer = await stand.send({ tenant, body });
  expect(answer.status).toBe(status);
  expect(stand.mock.counters.requests).toBe(before + (status === 200 ? 1 : 0));
  const { decision } = facts(await stand.record(answer, tenant));
  expect(decision['unscanned']).toEqual([{ what, path: expect.stringMatching(/^\/messages\/0\/content\/1\//) }]);
  if (status === 200) {
    expect(stand.upstreamBody).toBe(body);
    return;
  }
  expect(decision['rules']).toEqual(['modalities.unscanned']);
  expect(errorOf(answer)['message']).toMatch(
    new RegExp(`^The part at /messages/0/content/1/.* could not be scanned \\(${what}\\)`),
  );
  expect(errorOf(answer)['param']).toMatch(/^\/messages\/0\/content\/1\//);
});

test.each([
  ['a listed host', 'https://images.example.com/cat.png', 200, null],
  ['a host below a listed one', 'https://eu.cdn.example.net/cat.png?sig=1', 200, null],
  ['an unlisted host', 'https://example.com/cat.png', 403, 'hosts.unlisted'],
  ['the listed name as a prefix', 'https://images.example.com.evil.test/cat.png', 403, 'hosts.unlisted'],
  ['the listed name as user', 'https://images.example.com@evil.test/cat.png', 403, 'hosts.unlisted'],
  ['the parent of a wildcard', 'https://cdn.example.net/cat.png', 403, 'hosts.unlisted'],
  ['loopback', 'http://127.0.0.1:8788/api/keys', 403, 'hosts.private'],
  ['loopback by name', 'http://localhost/x', 403, 'hosts.private'],
  ['loopback in another notation', 'http://0x7f.1/x', 403, 'hosts.private'],
  ['loopback as a number', 'http://2130706433/x', 403, 'hosts.private'],
  ['cloud metadata', 'http://169.254.169.254/latest/meta-data/', 403, 'hosts.private'],
  ['a private range', 'http://10.0.0.5/x', 403, 'hosts.private'],
  ['IPv6 loopback', 'http://[::1]/x', 403, 'hosts.private'],
  ['IPv4 within IPv6', 'http://[::ffff:169.254.169.254]/x', 403, 'hosts.private'],
  ['a name without a dot', 'http://intranet/x', 403, 'hosts.private'],
  ['a file', 'file:///etc/passwd', 403, null],
  ['another protocol', 'ftp://images.example.com/cat.png', 403, null],
  ['white space before', ' https://evil.test/x', 403, null],
  ['line breaks inside', 'ht\ntps://evil.test/x', 403, null],
  ['backslashes', 'https:\\\\evil.test\\x', 403, null],
  ['no scheme', '//evil.test/x', 403, null],
  ['no address at all', 'cat.png', 403, null],
])('a picture at %s', async (_, url, status, rule) => {
  const answer = await stand.ask(parts(image(url)), {}, { tenant: 'visual' });
  expect(answer.status).toBe(status);
  const { decision } = facts(await stand.record(answer, 'visual'));
  if (rule !== null) expect(decision['rules']).toContain(rule);
  expect(decision['unscanned']).toHaveLength(1);
});

test('text in a data: URL is read like any other text', async () => {
  const secret = image(`data:text/plain;base64,${base64('key AKIAQYLPMN5HNM4OZ56B')}`);
  const answer = await stand.ask(parts(secret), {}, { tenant: 'visual' });
  expect(answer.status).toBe(403);
  expect(errorOf(answer)['message']).toContain('AWS_ACCESS_KEY');
  expect(errorOf(answer)['param']).toBe('/messages/0/content/1/image_url/url#data');
});

test('personal data in a data: URL of text is replaced before it leaves', async () => {
  const note = image(`data:text/plain;base64,${base64('write to ada@example.org')}`);
  const answer = await stand.ask(parts(note), {}, { tenant: 'visual' });
  expect(answer.status).toBe(200);
  const sent = /data:text\/plain;base64,([^"]+)/.exec(stand.upstreamBody)?.[1] ?? '';
  expect(Buffer.from(sent, 'base64').toString()).toMatch(/^write to <EMAIL_ADDRESS_[a-z]+>$/);
});

test('an attachment hidden in history, in a tool’s result or under a misleading type is found', async () => {
  for (const messages of [
    [
      { role: 'user', content: [INLINE] },
      { role: 'assistant', content: 'a cat' },
      { role: 'user', content: 'sure?' },
    ],
    [{ role: 'tool', tool_call_id: 'c', content: [INLINE] }],
    [{ role: 'user', content: [{ ...INLINE, type: 'text', text: 'hi' }] }],
    [{ role: 'system', content: [FILE] }],
  ]) {
    const answer = await stand.ask({ messages });
    expect(answer.status).toBe(403);
    const { decision } = facts(await stand.record(answer));
    expect(decision['rules']).toContain('modalities.unscanned');
  }
});

test('more findings than are counted are refused, not let through', async () => {
  const text = Array.from({ length: 12_000 }, (_, i) => `user${i}@example.org`).join(' ');
  const answer = await stand.ask(text);
  expect(answer.status).toBe(403);
  const { decision } = facts(await stand.record(answer));
  expect(decision['unscanned']).toEqual([{ what: 'too_many', path: '/messages/0/content' }]);
});

test('asking for audio back is a modality the policy sees', async () => {
  const answer = await stand.ask('hi', { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' } });
  const record = await stand.record(answer);
  const { base } = (record.decision?.sections['input'] ?? {}) as { base: { request: { modalities: string[] } } };
  expect(base.request.modalities).toEqual(['output:audio', 'text']);
});
