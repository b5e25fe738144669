/** gateway/egress.ts is the only product file that opens outbound connections: the sources are read to see that it stays so. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';

/** Modules that open connections, and of those that also do harmless things, the names that do not. */
const NETWORK_MODULES: Readonly<Record<string, readonly string[]>> = {
  undici: [],
  'node-fetch': [],
  axios: [],
  ws: [],
  http2: [],
  tls: [],
  dns: [],
  'dns/promises': [],
  dgram: [],
  http: [
    'createServer',
    'Server',
    'IncomingMessage',
    'ServerResponse',
    'STATUS_CODES',
    'METHODS',
    'validateHeaderName',
    'validateHeaderValue',
  ],
  https: ['createServer', 'Server'],
  net: ['BlockList', 'isIP', 'isIPv4', 'isIPv6', 'createServer', 'Server'],
  postgres: [],
  pg: [],
};

/** Who may, and what for. Everything else goes through gateway/egress.ts. */
const ALLOWED: readonly { readonly path: string; readonly modules: readonly string[]; readonly why: string }[] = [
  { path: 'gateway/egress.ts', modules: ['undici', 'dns', 'net'], why: 'the one place' },
  { path: 'cli/embedded/', modules: ['net'], why: 'the socket of the database it starts as a child process' },
  { path: 'cli/embedded/wire.ts', modules: ['tls'], why: 'the connection to the configured database' },
  { path: 'cli/', modules: ['postgres'], why: 'the driver of the configured database' },
  { path: 'gateway/', modules: ['postgres'], why: 'the driver of the configured database' },
  { path: 'ledger/', modules: ['postgres'], why: 'the driver of the configured database' },
  { path: 'approvals/', modules: ['postgres'], why: 'the driver of the configured database' },
  { path: 'migrations/', modules: ['postgres'], why: 'the driver of the configured database' },
];

const PRODUCT = ['approvals', 'cli', 'costs', 'gateway', 'ledger', 'migrations', 'policies', 'redaction'];

function productFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? [] : productFiles(path);
    return /\.(ts|js|mjs|cjs)$/.test(entry.name) ? [path] : [];
  });
}

/** The code without comments and without the contents of quoted strings; templates stay, they hold code. */
function withoutWords(code: string): string {
  const words = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g;
  return code.replace(words, (word) => (word.startsWith('/') ? ' ' : "''"));
}

/** Names a file takes from a network module at run time; `*` for the whole module. */
function networkImports(code: string): { module: string; name: string }[] {
  const found: { module: string; name: string }[] = [];
  const add = (specifier: string, clause: string): void => {
    const module = specifier.replace(/^node:/, '');
    const harmless = Object.hasOwn(NETWORK_MODULES, module) ? NETWORK_MODULES[module] : undefined;
    if (harmless === undefined) return;
    const named = /^\s*\{([\s\S]*)\}\s*$/.exec(clause)?.[1];
    const names =
      named === undefined
        ? ['*']
        : named
            .split(',')
            .map((name) => name.trim())
            .filter((name) => name !== '' && !name.startsWith('type '));
    for (const name of names) {
      const imported = name.split(/\s+as\s+/)[0] ?? name;
      if (!harmless.includes(imported)) found.push({ module, name: imported });
    }
  };
  for (const match of code.matchAll(/^\s*(?:import|export)\s+(?!type\b)([^'";]*?)\s*from\s*['"]([^'"]+)['"]/gm))
    add(match[2] ?? '', match[1] ?? '');
  for (const match of code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)) add(match[1] ?? '', '*');
  for (const match of code.matchAll(/\b(?:import|require|createRequire\([^)]*\))\s*\(\s*['"`]([^'"`]+)['"`]/g))
    add(match[1] ?? '', '*');
  return found;
}

/** Global ways out of a process. Methods and properties of that name (an app's own `fetch`) are something else. */
const GLOBALS = [
  /(?<![.\w$])fetch\s*\(/,
  /\bglobal(?:This)?\s*(?:\?\.|\.)\s*fetch\b/,
  /[=(,:]\s*fetch\s*[,;)\n]/,
  /\bnew\s+(?:WebSocket|EventSource|XMLHttpRequest)\b/,
];

function problemsOf(path: string, code: string): string[] {
  const allowed = ALLOWED.filter((row) => path === row.path || (row.path.endsWith('/') && path.startsWith(row.path)));
  const problems = networkImports(code)
    .filter(({ module }) => !allowed.some((row) => row.modules.includes(module)))
    .map(({ module, name }) => `${path}: ${name} from ${module}`);
  const bare = withoutWords(code);
  for (const pattern of GLOBALS) if (pattern.test(bare)) problems.push(`${path}: ${pattern.source}`);
  // jose fetches key sets with the global fetch unless it is given another.
  if (/\bcreateRemoteJWKSet\b/.test(bare) && !/\bcustomFetch\b/.test(bare))
    problems.push(`${path}: createRemoteJWKSet without customFetch`);
  return problems;
}

describe('no other file opens a connection', () => {
  test('in the product sources', () => {
    const files = PRODUCT.flatMap((folder) => productFiles(join(process.cwd(), folder)));
    expect(files.length).toBeGreaterThan(20);
    const problems = files.flatMap((file) =>
      problemsOf(relative(process.cwd(), file).split(sep).join('/'), readFileSync(file, 'utf8')),
    );
    expect(problems).toEqual([]);
  });

  test.each([
    `import { request } from 'undici';`,
    `import undici from "undici"`,
    `export { Pool } from 'undici';`,
    `import 'ws';`,
    `import http from 'node:http';`,
    `import * as net from 'net';`,
    `import { connect } from 'node:tls';`,
    `import { createServer, get } from 'node:http';`,
    `import { isIP, Socket as S } from 'node:net';`,
    `const { Agent } = await import('undici');`,
    `const dns = require('node:dns');`,
    `import postgres from 'postgres';`,
    `await fetch('https://x');`,
    `return globalThis.fetch(url);`,
    `const send = fetch;`,
    `run(fetch);`,
    `new WebSocket(url);`,
    `const glob = '/*'; fetch(url); const end = '*/';`,
    'const text = `${await fetch(url)}`;',
    `import { createRemoteJWKSet } from 'jose';`,
  ])('is noticed: %s', (code) => {
    expect(problemsOf('policies/x.ts', code)).not.toEqual([]);
  });

  test.each([
    `import type { Dispatcher } from 'undici';`,
    `import { createServer } from 'node:http';`,
    `import { type Socket, isIP } from 'node:net';`,
    `app.fetch(request); const served = { fetch: app.fetch };`,
    `// fetch(url) would be wrong\nconst text = 'fetch(url)';`,
    `const glob = '/*'; const end = '*/'; // new WebSocket(url)`,
    `/* new WebSocket(url) */ const path = new URL('https://x//y');`,
    `import { createRemoteJWKSet, customFetch } from 'jose';`,
  ])('is no connection: %s', (code) => {
    expect(problemsOf('policies/x.ts', code)).toEqual([]);
  });
});
