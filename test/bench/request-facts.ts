/** A chat request of tenant acme to an external model that no rule of the baseline objects to: facts of a policy input. */
export const REQUEST_MS = Date.UTC(2026, 10, 21, 9, 30);

/** @param time the input's `time` of REQUEST_MS */
export function requestFacts<Time>(time: Time) {
  return {
    point: 'model.request',
    call: { id: 'cs-01890a5d7c3e7b1f8a2d4e6f90123456', parent: null, run: null, turn: null },
    time,
    tenant: { id: 'acme', region: 'eu', frameworks: [], labels: {} },
    principal: { type: 'user' as const, id: 'u1', roles: ['caller'], groups: [], claims: {}, assurance: null },
    model: {
      requested: 'gpt-4o-mini',
      provider: 'openai',
      deployment: 'openai/gpt-4o-mini',
      model: 'gpt-4o-mini',
      region: 'us',
      family: 'gpt',
      hosting: 'external' as const,
      retention_days: 30,
      trains_on_data: false,
      tags: [] as string[],
    },
    request: {
      api: 'openai.chat',
      stream: false,
      max_tokens: null,
      messages: 2,
      bytes: 300,
      tokens_estimate: 80,
      modalities: ['text'],
      urls: [],
      digest: 'd1',
    },
  };
}
