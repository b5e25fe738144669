import { execFile } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { refusedBecause } from '../../policies/compiler/refused.ts';
import { loadBundle } from '../../policies/index.ts';
import { policySchemas } from '../../policies/schema.ts';
import { readTar } from '../../policies/tar.ts';
import { buildBundle, capabilitiesFile, OPA_VERSION } from '../../policies/testing.ts';
import { HOST_BUILTINS } from '../../policies/wasm/builtins.ts';
import { compileRego, findTools, required, ROOT, shipped, withFolder } from './toolchain.ts';

const tools = await findTools();
const run = test.skipIf(tools === null);
const SHIPPED = ['baseline', 'library', 'agents'];

function archive(name: string): string {
  return join(ROOT, 'policies/dist', `${name}.tar.gz`);
}

async function entries(path: string): Promise<Map<string, string>> {
  const files = readTar(gunzipSync(await readFile(path)), { maxEntries: 1000, maxEntryBytes: 2 ** 26 });
  return new Map(files.map((file) => [file.name, Buffer.from(file.bytes).toString('latin1')]));
}

run.each(SHIPPED)('%s is what its sources compile to, file by file', async (name) => {
  const dist = archive(name);
  const described = JSON.parse(await readFile(dist.replace('.tar.gz', '.json'), 'utf8')) as Record<string, string>;
  await withFolder(async (dir) => {
    const out = join(dir, `${name}.tar.gz`);
    const revision = described['revision'] ?? '';
    const identity = await buildBundle(join(ROOT, 'policies/rego', name), out, required(tools), { revision });
    const [built, committed] = [await entries(out), await entries(dist)];
    expect([...built.keys()]).toEqual([...committed.keys()]);
    for (const [file, content] of built)
      expect(content === committed.get(file), `${file} differs: build it again`).toBe(true);
    expect({ ...identity, opa: OPA_VERSION }).toEqual(described);
  });
});

test.each(SHIPPED)(
  '%s says which compiler it was built with, by version and by the digest of its source',
  async (name) => {
    const goSum = await readFile(join(ROOT, 'policies/compiler/go.sum'), 'utf8');
    const { metadata } = (await shipped(name)).manifest;
    const sum = (metadata?.['compiler'] as { opa: string; module_sum: string } | undefined) ?? {
      opa: '',
      module_sum: '',
    };
    expect(sum.opa).toBe(OPA_VERSION);
    expect(goSum).toContain(`github.com/open-policy-agent/opa v${OPA_VERSION} ${sum.module_sum}\n`);
  },
);

test.each(SHIPPED)('%s holds the sources it was built from and no tests', async (name) => {
  const packed = await entries(archive(name));
  const folder = join(ROOT, 'policies/rego', name);
  const sources = (await readdir(folder)).filter((file) => file.endsWith('.rego'));
  for (const file of sources) {
    // opa itself replaces the entry point's rule by an import of the module's answer.
    if (file === 'main.rego') continue;
    const source = await readFile(join(folder, file), 'latin1');
    expect(packed.get(file), file).toBe(file.endsWith('_test.rego') ? undefined : source);
  }
  expect(packed.get('main.rego')).toContain('import data.countersign.main.decision');
});

test.each(['facts.rego', 'facts_test.rego', 'waivers.rego'])('%s is the same in every shipped bundle', async (file) => {
  const copies = await Promise.all(SHIPPED.map((name) => readFile(join(ROOT, 'policies/rego', name, file), 'utf8')));
  expect(new Set(copies).size).toBe(1);
});

test('go.mod requires the version the product asks for', async () => {
  const goMod = await readFile(join(ROOT, 'policies/compiler/go.mod'), 'utf8');
  expect(goMod).toContain(`github.com/open-policy-agent/opa v${OPA_VERSION} `);
  expect(goMod).toContain('tool github.com/open-policy-agent/opa\n');
});

test.each(Object.entries(policySchemas()))('policies/schema/%s is current', async (name, schema) => {
  const committed = await readFile(join(ROOT, 'policies/schema', name), 'utf8');
  expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(schema)));
});

describe('capabilities', () => {
  run('the committed file is the selection from the pinned opa', async () => {
    const committed = await readFile(required(tools).capabilities, 'utf8');
    expect(JSON.parse(committed)).toEqual(JSON.parse(await capabilitiesFile(required(tools).opa)));
  });

  run('every other function of opa is refused for a reason, and the documentation lists it', async () => {
    const { opa } = required(tools);
    const { stdout } = await promisify(execFile)(opa, ['capabilities', '--current'], { maxBuffer: 16 * 1024 * 1024 });
    const { builtins } = JSON.parse(stdout) as { builtins: { name: string }[] };
    const committed = await readFile(required(tools).capabilities, 'utf8');
    const refused = builtins.map(({ name }) => name).filter((name) => !committed.includes(`"name": "${name}"`));
    expect(refused.filter((name) => refusedBecause(name) === null)).toEqual([]);
    const page = await readFile(join(ROOT, 'docs/policies.md'), 'utf8');
    const families = refused.map((name) =>
      name.replace(/^(io\.jwt|crypto\.x509|providers\.aws|graphql|yaml|uri|cast_).*/, '$1'),
    );
    expect(families.filter((name) => !page.includes(`\`${name}`))).toEqual([]);
  });

  test('every built-in of our host may be used, and nothing that asks the world', async () => {
    const file = await readFile(join(ROOT, 'policies/compiler/capabilities.json'), 'utf8');
    const names = (JSON.parse(file) as { builtins: { name: string }[] }).builtins.map((builtin) => builtin.name);
    expect(names).toEqual(expect.arrayContaining([...HOST_BUILTINS.keys()]));
    const worldly = /^(http|net\.lookup|rand|opa\.runtime|time\.now|uuid|rego\.parse|io\.jwt|providers|trace)/;
    expect(names.filter((name) => worldly.test(name))).toEqual([]);
  });

  run.each([
    'http.send({})',
    'rand.intn("a", 5)',
    'time.now_ns()',
    'opa.runtime()',
    'net.lookup_ip_addr("x")',
    'uuid.rfc4122("a")',
  ])('a policy with %s is not built', async (call) => {
    const rego = `# METADATA\n# entrypoint: true\ndecision := ${call}`;
    await expect(compileRego(required(tools), 'x', rego)).rejects.toMatchObject({
      code: 'rules_refused',
      message: expect.stringMatching(/main\.rego:5: .* in rule decision: not in .*, because \w/) as string,
    });
  });

  run('a module that was built without our capabilities is refused when it is loaded', async () => {
    await withFolder(async (dir) => {
      const capabilities = join(dir, 'all.json');
      const { execFileSync } = await import('node:child_process');
      const current = JSON.parse(execFileSync(required(tools).opa, ['capabilities', '--current']).toString()) as object;
      await writeFile(
        capabilities,
        JSON.stringify({ ...current, wasm_abi_versions: [{ version: 1, minor_version: 3 }] }),
      );
      const rego = '# METADATA\n# entrypoint: true\ndecision := time.now_ns()';
      const building = compileRego({ ...required(tools), capabilities }, 'x', rego);
      await expect(building).rejects.toMatchObject({ code: 'unsupported_builtin' });
    });
  });
});

test.each(SHIPPED)('%s loads with the digests beside it', async (name) => {
  const described: unknown = JSON.parse(await readFile(archive(name).replace('.tar.gz', '.json'), 'utf8'));
  const { identity } = loadBundle(await readFile(archive(name)), name);
  expect({ ...identity, opa: OPA_VERSION }).toEqual(described);
});
