import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StreamGovernor, type StreamRules } from '../../../gateway/response/stream.ts';
import { createSseReader } from '../../../gateway/upstream/sse.ts';
import type { SseEvent } from '../../../gateway/upstream/upstream.ts';
import type { RedactionContext, RedactionRule } from '../../../redaction/index.ts';
import { createAnalyzer, createTokenVault, redactText } from '../../../redaction/index.ts';

const analyzer = createAnalyzer();
const RULES: readonly RedactionRule[] = [
  { types: ['secret'], operator: 'redact' },
  { types: ['pii'], operator: 'replace' },
];
/** Pieces an answer is made of: prose, findings, look-alikes, placeholders, characters outside the basic plane. */
const PIECES = [
  'Hello', ' ', 'world', '. ', 'mail me at ', 'anna.smith@example.org', ', or call ', '+1 415 555 2671', ' 4111 1111 1111 1111 ',
  'DE89370400440532013000', 'a@', '@b', '12:34', '😀', 'é', '\n\n', 'AKIAIOSFODNN7EXAMPLE', '-----BEGIN', ' 192.168.0.1 ', '"quoted"', '\\',
]; // prettier-ignore

function context(): RedactionContext {
  return { hashKey: new Uint8Array(32), vault: createTokenVault(new Uint8Array(32).fill(7)) };
}

function rules(redaction: RedactionContext, over: Partial<StreamRules> = {}): StreamRules {
  return {
    analyzer,
    rules: RULES,
    redaction,
    disclose: '',
    buffer: false,
    modelAlias: null,
    stripUsage: true,
    maxQueued: 1 << 20,
    recordChars: 1 << 20,
    ...over,
  };
}

function chunk(delta: object, finish: string | null = null, extra: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finish }];
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...extra })}\n\n`;
}

/** Reads a byte stream cut at the given places and governs it as the gateway does. */
function govern(bytes: Uint8Array, cuts: readonly number[], options: StreamRules): string {
  const reader = createSseReader();
  const governor = new StreamGovernor(options);
  const events: SseEvent[] = [];
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const to of [...places, bytes.length]) {
    events.push(...reader.push(bytes.subarray(from, to)));
    from = to;
  }
  events.push(...reader.end());
  let out = '';
  for (const event of events) if (event.data !== '[DONE]') out += governor.accept(event);
  governor.close();
  return out + governor.drain();
}

interface Assembled {
  content: string;
  args: string;
}

function assemble(stream: string): Assembled {
  const result = { content: '', args: '' };
  for (const line of stream.split('\n')) {
    if (!line.startsWith('data: ')) continue;
    const { choices } = JSON.parse(line.slice(6)) as {
      choices: { delta: { content?: string; tool_calls?: { function?: { arguments?: string } }[] } }[];
    };
    for (const choice of choices) {
      result.content += choice.delta.content ?? '';
      for (const call of choice.delta.tool_calls ?? []) result.args += call.function?.arguments ?? '';
    }
  }
  return result;
}

function streamOf(deltas: readonly string[]): Uint8Array {
  const events = [
    chunk({ role: 'assistant', content: '' }),
    ...deltas.map((content) => chunk({ content })),
    chunk({}, 'stop'),
  ];
  return Buffer.from(`${events.join('')}data: [DONE]\n\n`);
}

test('every way of cutting the bytes gives the redaction of the whole text', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (pieces, deltaCuts, byteCuts) => {
        const text = pieces.join('');
        const deltas = cutText(text, deltaCuts);
        const redaction = context();
        redaction.vault.mint('EMAIL_ADDRESS', 'carol@example.net');
        const expected = redaction.vault.restore(redactText(text, analyzer.analyze(text), RULES, redaction).text).text;
        expect(assemble(govern(streamOf(deltas), byteCuts, rules(redaction))).content).toBe(expected);
      },
    ),
    { numRuns: 400 },
  );
});

test('every single byte boundary of one stream with findings gives the same answer', () => {
  const bytes = streamOf(['Write to anna.sm', 'ith@example.org 😀 or +1 415 555', ' 2671.', ' Done']);
  const whole = govern(bytes, [], rules(context()));
  expect(assemble(whole).content).toBe('Write to <EMAIL_ADDRESS> 😀 or <PHONE_NUMBER>. Done');
  for (let cut = 0; cut <= bytes.length; cut++) expect(govern(bytes, [cut], rules(context()))).toBe(whole);
});

test('without anything to redact the caller gets the bytes that arrived', () => {
  const bytes = streamOf(['Hello', ' there,', ' general', ' answer', '.']);
  const text = Buffer.from(bytes).toString('utf8').replace('data: [DONE]\n\n', '');
  expect(govern(bytes, [10, 50, 51, 200], rules(context()))).toBe(text);
});

test('a placeholder split over deltas is restored, one that was not minted is left alone', () => {
  const redaction = context();
  const placeholder = redaction.vault.mint('EMAIL_ADDRESS', 'carol@example.net');
  const text = `I wrote to ${placeholder} and <EMAIL_ADDRESS_zzzzzzzz>.`;
  for (let cut = 1; cut < text.length; cut++) {
    const bytes = streamOf([text.slice(0, cut), text.slice(cut)]);
    const { content } = assemble(govern(bytes, [], rules(redaction, { rules: [] })));
    expect(content).toBe('I wrote to carol@example.net and <EMAIL_ADDRESS_zzzzzzzz>.');
  }
});

test('a tool call is released whole after the end, with placeholders restored inside its JSON', () => {
  const redaction = context();
  const placeholder = redaction.vault.mint('PERSON', 'O"Neil \\ Söhne');
  const args = JSON.stringify({ to: placeholder, n: 1 });
  const fragments = [args.slice(0, 9), args.slice(9, 17), args.slice(17)];
  const events = [
    chunk({
      role: 'assistant',
      content: null,
      tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'send', arguments: '' } }],
    }),
    ...fragments.map((part) => chunk({ tool_calls: [{ index: 0, function: { arguments: part } }] })),
    chunk({}, 'tool_calls'),
  ];
  const governor = new StreamGovernor(rules(redaction));
  const reader = createSseReader();
  const before = reader
    .push(Buffer.from(events.join('')))
    .map((event) => governor.accept(event))
    .join('');
  expect(before).toBe('');
  governor.close();
  const { args: released } = assemble(governor.drain());
  expect(JSON.parse(released)).toEqual({ to: 'O"Neil \\ Söhne', n: 1 });
  expect(governor.toolCalls).toEqual([{ name: 'send', arguments: args }]);
});

test('the usage chunk the gateway asked for is removed, one the caller asked for stays', () => {
  const usage = chunk({}, null, { choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } });
  const bytes = Buffer.from(chunk({ content: 'hi ' }) + chunk({}, 'stop') + usage);
  expect(govern(bytes, [], rules(context()))).not.toContain('prompt_tokens');
  expect(govern(bytes, [], rules(context(), { stripUsage: false }))).toContain('prompt_tokens');
});

test('log probabilities are removed where the text they spell was changed', () => {
  const choices = [
    {
      index: 0,
      delta: { content: 'anna@example.org ' },
      logprobs: { content: [{ token: 'anna@example', logprob: -0.1 }] },
      finish_reason: null,
    },
  ];
  const bytes = Buffer.from(`data: ${JSON.stringify({ id: 'x', choices })}\n\n` + chunk({}, 'stop'));
  const out = govern(bytes, [], rules(context()));
  expect(out).toContain('"logprobs":null');
  expect(out).not.toContain('anna');
});

test('an event that is not JSON ends the stream with an error, nothing held is flushed', () => {
  const governor = new StreamGovernor(rules(context()));
  governor.accept({
    raw: chunk({ content: 'my mail is anna.smith@exam' }),
    data: chunk({ content: 'my mail is anna.smith@exam' }).slice(6, -2),
  });
  expect(() => governor.accept({ raw: 'data: {oops\n\n', data: '{oops' })).toThrow(/cannot be checked/);
});

function cutText(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => (text.length === 0 ? 0 : cut % text.length)))].sort((a, b) => a - b);
  const pieces: string[] = [];
  let from = 0;
  for (const to of [...places, text.length]) {
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}
