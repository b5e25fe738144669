import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../../gateway/main.ts';
import { readRootKey } from '../../ledger/index.ts';
import { openKeys, rootKeySource } from '../database.ts';
import { startObservedModel } from '../demo/model.ts';
import { tell } from '../demo/story.ts';
import { connectServing } from '../embedded/connection.ts';
import { ensureFirstKey } from '../first-key.ts';
import { openProject, shippedBundles } from '../project.ts';
import { openServing } from '../serving.ts';
import type { Answer, Verb, VerbContext } from '../verb.ts';

/** The configuration of the demonstration: the sandbox model behind HTTP on loopback, treated as a provider far away. */
function configuration(modelUrl: string): string {
  return `
listen: { host: 127.0.0.1, port: 0, admin_port: 0 }
logging: { level: silent }
providers:
  model: { kind: openai, base_url: "${modelUrl}", hosting: external, region: local }
models:
  - { name: sandbox, deployments: [{ provider: model, model: echo }] }
tenants:
  - { id: demo, policies: [baseline], budget: { monthly_usd: "50" } }
prices:
  overrides:
    - { provider: model, model: echo, from: "2026-01-01", input_usd_per_mtok: "1", output_usd_per_mtok: "2" }
`;
}

async function run(context: VerbContext): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-demo-'));
  // The database may run under another account, which has to be able to enter.
  chmodSync(folder, 0o711);
  const model = await startObservedModel();
  try {
    const path = join(folder, 'countersign.yaml');
    writeFileSync(path, configuration(model.url));
    const project = openProject({ root: context.project.root, cwd: folder, env: context.env, configOption: path });
    const ok = await perform({ ...context, project }, model);
    const text = ok
      ? '\nThat is the whole story. Start your own: npm start'
      : '\nSomething did not come out as told; see above.';
    return { exit: ok ? 0 : 1, data: { ok }, text };
  } finally {
    await model.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function perform(context: VerbContext, model: Awaited<ReturnType<typeof startObservedModel>>): Promise<boolean> {
  const { project, env, out } = context;
  const config = project.config();
  const database = await openServing(context, config);
  try {
    const keyFile = await ensureFirstKey(context, config, database);
    const gateway = await startGateway({
      config,
      connect: (max, statementMs) => connectServing(database.gateway, max, statementMs),
      rootKey: await readRootKey(rootKeySource(project, config, env)),
      build: 'countersign-demo',
      shippedBundles: shippedBundles(project),
      resolvePath: (path) => project.path(path),
    });
    try {
      const keys = await openKeys(context, config, database.sql);
      const key = readFileSync(keyFile ?? '', 'utf8').trim();
      const say = context.json ? out.note : out.result;
      return await tell({ say, dataUrl: gateway.dataUrl, key, model, owner: database.sql, keys, now: context.now });
    } finally {
      await gateway.drain();
    }
  } finally {
    await database.close();
  }
}

export const verbs: readonly Verb[] = [
  {
    path: ['demo'],
    summary: 'Tells the story of a governed call in the terminal, on a throw-away database and the sandbox model.',
    example: 'countersign demo',
    details: 'Ends with 1 when a chapter did not come out as told.',
    run,
  },
];
