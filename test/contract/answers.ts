/** Tools and provider answers of the contract tests. */
import type { ChatCompletionTool } from 'openai/resources/chat/completions';

export const WEATHER_TOOLS: ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather of a city, in °C.',
      strict: true,
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] } },
        required: ['city', 'unit'],
        additionalProperties: false,
      },
    },
  },
];

const HEAD = '"id":"chatcmpl-rich","created":1700000000,"model":"gpt-4o-mini","system_fingerprint":null';

function logprobs(token: string, logprob: string): string {
  return `{"content":[{"token":"${token}","logprob":${logprob},"bytes":[89, 101, 115],"top_logprobs":[{"token":"${token}","logprob":${logprob},"bytes":null}]}],"refusal":null}`;
}

/** Two choices with log probabilities, details of usage, spaces and number forms a serializer would not write. */
export const RICH_ANSWER = `{ ${HEAD}, "object": "chat.completion",
  "choices": [
    {"index":0,"message":{"role":"assistant","content":"No","refusal":null,"annotations":[]},"logprobs":${logprobs('No', '-1.50')},"finish_reason":"stop"},
    {"index":1,"message":{"role":"assistant","content":"Yes","refusal":null,"annotations":[]},"logprobs":${logprobs('Yes', '-0.31725305')},"finish_reason":"length"}
  ],
  "usage": {"prompt_tokens":1e1,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},
    "completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},
  "service_tier": "default", "x_vendor": {"thought_signature": "c2ln\\u003d"} }
`;

function event(choices: string, usage = 'null'): string {
  return `data: {${HEAD},"object":"chat.completion.chunk","choices":[${choices}],"usage":${usage},"obfuscation":"x7"}\n\n`;
}

function delta(index: number, text: string, probabilities = 'null'): string {
  return `{"index":${index},"delta":{"content":"${text}"},"logprobs":${probabilities},"finish_reason":null}`;
}

/** The same as a stream: two choices that interleave, even within one event. */
export const RICH_STREAM = [
  event('{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}'),
  event('{"index":1,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}'),
  event(delta(1, 'Yes', logprobs('Yes', '-0.5'))),
  event(`${delta(0, 'No', logprobs('No', '-1.0'))},${delta(1, ' w', logprobs(' w', '-2e0'))}`),
  event(delta(0, ' way.', logprobs(' way.', '-0.1'))),
  event(delta(1, 'ay.', logprobs('ay.', '-0.2'))),
  event('{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}'),
  event('{"index":1,"delta":{},"logprobs":null,"finish_reason":"length"}'),
  event('', '{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}'),
  'data: [DONE]\n\n',
].join('');
