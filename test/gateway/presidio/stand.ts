import { startTestGateway, type TestGateway } from '../../support/gateway.ts';

const PARTS = `
providers: { sandbox: { kind: sandbox } }
models: [{ name: m, deployments: [{ provider: sandbox, model: echo }] }]
tenants: [{ id: demo, policies: [baseline] }]
`;

/** A gateway with nothing special; `more` is further configuration. */
export function startPresidio(more = ''): Promise<TestGateway> {
  return startTestGateway(`${PARTS}${more}`);
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly json: unknown;
  readonly text: string;
  readonly headers: Headers;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  return {
    status: response.status,
    type,
    text,
    json: type.startsWith('application/json') && text !== '' ? (JSON.parse(text) as unknown) : null,
    headers: response.headers,
  };
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: text });
}
