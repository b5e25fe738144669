/** The plain proxy: what the gateway's own HTTP libraries cost when nothing is governed. No check, no body parsing. */
import { serve, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import { Pool } from 'undici';

const upstream = new URL(process.env['BENCH_UPSTREAM'] ?? '');
const pool = new Pool(upstream.origin, { connections: 256, pipelining: 1 });
const app = new Hono<{ Bindings: HttpBindings }>();

app.post('/v1/chat/completions', async (context) => {
  const { incoming, outgoing } = context.env;
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const answer = await pool.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: Buffer.concat(parts),
  });
  outgoing.writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) });
  if (answer.headers['content-length'] === undefined) {
    for await (const part of answer.body) outgoing.write(part);
    outgoing.end();
  } else {
    outgoing.end(Buffer.from(await answer.body.arrayBuffer()));
  }
  return RESPONSE_ALREADY_SENT;
});

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, (address) => process.send?.({ port: address.port }));
process.on('disconnect', () => process.exit(0));
