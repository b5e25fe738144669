export interface GreetingFacts {
  readonly dataUrl: string;
  readonly adminUrl: string;
  readonly model: string;
  readonly startMs: number;
  /** File of the first key; null when this deployment has none. */
  readonly firstKey: string | null;
  readonly terminal: boolean;
}

/** What a start says: where it listens, and a call that can be pasted. The key itself is shown on a terminal only. */
export function greeting(facts: GreetingFacts): string {
  const { dataUrl, adminUrl, startMs } = facts;
  return [
    `Countersign is ready after ${(startMs / 1000).toFixed(2)} s.`,
    '',
    `  calls           ${dataUrl}/v1`,
    `  administration  ${adminUrl}`,
    ...keyLines(facts),
    '',
    'Try it:',
    '',
    ...curlLines(facts),
    '',
    'Or with the OpenAI SDK:',
    '',
    `  const client = new OpenAI({ baseURL: '${dataUrl}/v1', apiKey: process.env.COUNTERSIGN_KEY });`,
    '',
    'Check the evidence:  npx countersign ledger verify',
    'Stop with Ctrl-C.',
  ].join('\n');
}

function keyLines({ firstKey, terminal }: GreetingFacts): string[] {
  if (firstKey === null) return ['  first key       none: make one with "countersign keys create --tenant ID"'];
  return [`  first key       ${firstKey}${terminal ? '' : ' (readable by you only)'}`];
}

function curlLines({ dataUrl, model, firstKey }: GreetingFacts): string[] {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Write to ada@example.com' }] });
  const key =
    firstKey === null ? '  export COUNTERSIGN_KEY=…' : `  export COUNTERSIGN_KEY="$(cat ${quoteShell(firstKey)})"`;
  return [
    key,
    `  curl ${dataUrl}/v1/chat/completions -H "authorization: Bearer $COUNTERSIGN_KEY" \\`,
    `    -H 'content-type: application/json' -d '${body.replaceAll("'", String.raw`'\''`)}'`,
  ];
}

function quoteShell(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
