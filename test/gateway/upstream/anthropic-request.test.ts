/** Requests from OpenAI's shape to Anthropic's (https://docs.claude.com/en/api/messages), case by case. */
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../gateway/errors.ts';
import { translateRequest } from '../../../gateway/upstream/anthropic/request.ts';

const user = (content: unknown): object => ({ role: 'user', content });
const text = (content: string): object => ({ type: 'text', text: content });

function translated(request: object): unknown {
  return JSON.parse(translateRequest(JSON.stringify({ model: 'claude', messages: [user('hi')], ...request })).body);
}

function messages(...list: object[]): unknown {
  return (translated({ messages: list }) as { messages: unknown }).messages;
}

function refusedParam(request: object): string | null {
  try {
    translated(request);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).code).toBe('invalid_request');
    expect((error as Error).message).not.toContain('secret');
    return (error as GatewayError).param;
  }
}

describe('parameters', () => {
  test('a plain request', () => {
    expect(translated({})).toEqual({
      model: 'claude',
      max_tokens: 4096,
      messages: [{ role: 'user', content: [text('hi')] }],
    });
  });

  test.each<[string, object, object]>([
    ['max_tokens', { max_tokens: 5 }, { max_tokens: 5 }],
    ['max_completion_tokens wins', { max_tokens: 5, max_completion_tokens: 7 }, { max_tokens: 7 }],
    ['sampling', { temperature: 0.3, top_p: 0.9 }, { temperature: 0.3, top_p: 0.9 }],
    ['one stop', { stop: 'END' }, { stop_sequences: ['END'] }],
    ['several stops', { stop: ['a', 'b'] }, { stop_sequences: ['a', 'b'] }],
    ['stream', { stream: true, stream_options: { include_usage: true } }, { stream: true }],
    ['user', { user: 'u1' }, { metadata: { user_id: 'u1' } }],
    ['safety identifier', { user: 'u1', safety_identifier: 's1' }, { metadata: { user_id: 's1' } }],
    ['tier', { service_tier: 'default' }, { service_tier: 'standard_only' }],
    [
      'native members',
      { thinking: { type: 'enabled', budget_tokens: 1024 }, top_k: 5 },
      { thinking: { type: 'enabled', budget_tokens: 1024 }, top_k: 5 },
    ],
    [
      'structured output',
      {
        response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema: { type: 'object' } } },
        output_config: { effort: 'low' },
      },
      { output_config: { effort: 'low', format: { type: 'json_schema', schema: { type: 'object' } } } },
    ],
  ])('%s', (_name, request, expected) => {
    expect(translated(request)).toMatchObject(expected);
  });

  test('what asks for nothing is left out', () => {
    const nothing = {
      n: 1,
      frequency_penalty: 0,
      presence_penalty: 0,
      logit_bias: {},
      logprobs: false,
      top_logprobs: null,
      store: false,
      modalities: ['text'],
      response_format: { type: 'text' },
      tools: null,
      tool_choice: null,
      stop: null,
      stop_sequences: null,
      temperature: null,
      metadata: { a: 'b' },
      seed: 1,
      prompt_cache_key: 'k',
      service_tier: 'auto',
      reasoning_effort: 'none',
    };
    expect(translated(nothing)).toEqual(translated({}));
  });

  test.each<[string, object]>([
    ['n', { n: 2 }],
    ['frequency_penalty', { frequency_penalty: 0.5 }],
    ['logit_bias', { logit_bias: { '50256': -100 } }],
    ['logprobs', { logprobs: true }],
    ['store', { store: true }],
    ['modalities', { modalities: ['text', 'audio'] }],
    ['audio', { audio: { voice: 'x' } }],
    ['web_search_options', { web_search_options: {} }],
    ['functions', { functions: [] }],
    ['reasoning_effort', { reasoning_effort: 'high' }],
    ['verbosity', { verbosity: 'low' }],
    ['service_tier', { service_tier: 'flex' }],
    ['temperature', { temperature: 1.5 }],
    ['max_tokens', { max_tokens: 0 }],
    ['max_completion_tokens', { max_completion_tokens: 'secret' }],
    ['stop', { stop: [1] }],
    ['response_format', { response_format: { type: 'json_object' } }],
    ['response_format.json_schema.schema', { response_format: { type: 'json_schema', json_schema: {} } }],
    ['brand_new_field', { brand_new_field: 'secret' }],
    ['an unknown field', { 'secret value as a name': 1 }],
    ['__proto__', JSON.parse('{"__proto__":{"n":2}}') as object],
    ['constructor', { constructor: 1 }],
  ])('refuses by name: %s', (param, request) => {
    // Spreading drops an own __proto__ member, so it is added to the text.
    const source = JSON.stringify({ model: 'c', messages: [user('hi')] }).slice(0, -1);
    const members = JSON.stringify(request).slice(1);
    const parse = (): unknown => translateRequest(`${source},${members}`);
    if (param === '__proto__') expect(parse).toThrow(GatewayError);
    else expect(refusedParam(request)).toBe(param);
  });

  test('says whether usage was asked for', () => {
    const wants = (options: unknown): boolean =>
      translateRequest(JSON.stringify({ model: 'c', messages: [user('x')], stream: true, stream_options: options }))
        .includeUsage;
    expect([wants({ include_usage: true }), wants({ include_usage: false }), wants(null)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe('messages', () => {
  test('system and developer prompts move to the front', () => {
    const list = [
      { role: 'system', content: 'one' },
      user('hi'),
      { role: 'developer', content: [text('two'), { ...text('three'), cache_control: { type: 'ephemeral' } }] },
    ];
    expect(translated({ messages: list })).toMatchObject({
      system: [text('one'), text('two'), { ...text('three'), cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: [text('hi')] }],
    });
  });

  test('neighbours of one role are joined and empty texts left out', () => {
    expect(messages(user('a'), user([text('b'), text('')]), { role: 'assistant', content: 'c' }, user('d'))).toEqual([
      { role: 'user', content: [text('a'), text('b')] },
      { role: 'assistant', content: [text('c')] },
      { role: 'user', content: [text('d')] },
    ]);
  });

  test('images and documents', () => {
    const image = (url: string): object => ({ type: 'image_url', image_url: { url, detail: 'high' } });
    const pdf = { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } };
    const parts = [
      image('data:image/PNG;base64,iVBO'),
      image('data:image/jpg;charset=x;base64,/9j/'),
      image('https://x.example/a.png'),
      pdf,
    ];
    expect(messages(user(parts))).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBO' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: '/9j/' } },
          { type: 'image', source: { type: 'url', url: 'https://x.example/a.png' } },
          {
            type: 'document',
            source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
            title: 'a.pdf',
          },
        ],
      },
    ]);
  });

  test('tool calls and their results, arguments to the digit', () => {
    const calls = [
      { id: 't1', type: 'function', function: { name: 'a', arguments: '{"id": 12345678901234567890, "x": 1.0}' } },
      { id: 't2', type: 'function', function: { name: 'b', arguments: '' } },
    ];
    const list = [
      user('go'),
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: 't1', content: 'r1' },
      { role: 'tool', tool_call_id: 't2', content: [text('r2')] },
      user('and now'),
    ];
    const { body } = translateRequest(JSON.stringify({ model: 'c', messages: list }));
    expect(body).toContain('"input":{"id": 12345678901234567890, "x": 1.0}');
    expect((JSON.parse(body) as { messages: unknown[] }).messages.slice(1)).toMatchObject([
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 't1', name: 'a' },
          { type: 'tool_use', id: 't2', name: 'b', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: 'r1' },
          { type: 'tool_result', tool_use_id: 't2', content: [text('r2')] },
          text('and now'),
        ],
      },
    ]);
  });

  test('thoughts go back before the text they led to', () => {
    const thought = { type: 'thinking', thinking: 'hm', signature: 's' };
    const list = [user('a'), { role: 'assistant', content: 'b', thinking_blocks: [thought, { type: 'evil' }] }];
    expect(messages(...list)).toMatchObject([{}, { role: 'assistant', content: [thought, text('b')] }]);
  });

  test.each<[string, object[]]>([
    ['messages', []],
    ['messages[0]', [3 as unknown as object]],
    ['messages[0].role', [{ role: 'function', content: 'x' }]],
    ['messages[0].role', [{ role: 'secret', content: 'x' }]],
    ['messages[0].content', [user(7)]],
    ['messages[0].content[1]', [user([text('a'), { type: 'input_audio', input_audio: {} }])]],
    ['messages[0].content[0].image_url.url', [user([{ type: 'image_url', image_url: { url: 'file:///secret' } }])]],
    [
      'messages[0].content[0].image_url.url',
      [user([{ type: 'image_url', image_url: { url: 'data:text/html;base64,xx' } }])],
    ],
    ['messages[0].content[0].file.file_data', [user([{ type: 'file', file: { file_id: 'secret' } }])]],
    ['messages[0].content[0]', [{ role: 'system', content: [{ type: 'image_url' }] }]],
    ['messages[0].function_call', [{ role: 'assistant', content: 'x', function_call: {} }]],
    [
      'messages[0].tool_calls[0].function.arguments',
      [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'b', arguments: '{secret' } }] }],
    ],
    [
      'messages[0].tool_calls[0].function.arguments',
      [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'b', arguments: '{},"role":{}' } }] }],
    ],
    [
      'messages[0].tool_calls[0].id',
      [{ role: 'assistant', tool_calls: [{ function: { name: 'b', arguments: '{}' } }] }],
    ],
    ['messages[0].tool_call_id', [{ role: 'tool', content: 'x' }]],
  ])('refuses by path: %s', (param, list) => {
    expect(refusedParam({ messages: list })).toBe(param);
  });
});

describe('tools', () => {
  const tool = {
    type: 'function',
    function: { name: 'a', description: 'does', parameters: { type: 'object', required: [] }, strict: true },
  };
  const bare = { type: 'function', function: { name: 'b' } };

  test('are described in the other words', () => {
    expect(translated({ tools: [tool, bare] })).toMatchObject({
      tools: [
        { name: 'a', description: 'does', input_schema: { type: 'object', required: [] }, strict: true },
        { name: 'b', input_schema: { type: 'object', properties: {} } },
      ],
    });
    expect(translated({ tools: [bare] })).not.toHaveProperty('tools.0.description');
  });

  test.each<[object, object | undefined]>([
    [{}, undefined],
    [{ tool_choice: 'auto' }, { type: 'auto' }],
    [{ tool_choice: 'none' }, { type: 'none' }],
    [{ tool_choice: 'required' }, { type: 'any' }],
    [{ tool_choice: { type: 'function', function: { name: 'a' } } }, { type: 'tool', name: 'a' }],
    [{ parallel_tool_calls: true }, undefined],
    [{ parallel_tool_calls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [
      { parallel_tool_calls: false, tool_choice: 'required' },
      { type: 'any', disable_parallel_tool_use: true },
    ],
    [{ parallel_tool_calls: false, tool_choice: 'none' }, { type: 'none' }],
  ])('choice %j', (request, expected) => {
    expect((translated({ tools: [tool], ...request }) as { tool_choice?: object }).tool_choice).toEqual(expected);
  });

  test('what has no equal is refused', () => {
    expect(refusedParam({ tools: [{ type: 'custom', custom: { name: 'x' } }] })).toBe('tools[0]');
    expect(refusedParam({ tools: 'secret' })).toBe('tools');
    expect(refusedParam({ tools: [tool], tool_choice: { type: 'allowed_tools' } })).toBe('tool_choice');
    expect(translated({ parallel_tool_calls: false })).not.toHaveProperty('tool_choice');
  });
});
