import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { createPdp, createPolicyInput, loadBundle, type PolicyFacts } from '../../../policies/index.ts';
import { CliError, errno } from '../../errors.ts';
import { shippedBundles } from '../../project.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';

const facts = z.looseObject({ tenant: z.looseObject({ id: z.string() }) });
const parametersSchema = z.record(z.string(), z.json());

async function run({ args, project }: VerbContext): Promise<Answer> {
  const path = args.text('bundle') ?? join(shippedBundles(project), 'baseline.tar.gz');
  const bundle = loadBundle(await read(path), 'eval');
  const given = facts.parse(await readJson(args.required('input')));
  const parameters =
    args.text('parameters') === null ? {} : parametersSchema.parse(await readJson(args.required('parameters')));
  const pdp = await createPdp({ bundles: [bundle], tenantData: { [given.tenant.id]: parameters } });
  // Sections the file leaves out are empty, as the gateway fills them.
  const evaluation = pdp.evaluate(['eval'], createPolicyInput(given as unknown as PolicyFacts));
  const data = { bundle: { ...bundle.identity }, evaluation: evaluation as unknown as Json };
  if (evaluation.outcome === 'undecided') {
    return { exit: 3, data, text: `undecided (${evaluation.code}): ${evaluation.detail}` };
  }
  const { decision, fired } = evaluation;
  const rules = fired.flatMap((one) => one.rules);
  return {
    exit: 0,
    data,
    text: `${JSON.stringify(decision, null, 2)}\nfired: ${rules.length === 0 ? 'no rule with an id' : rules.join(', ')}`,
  };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(resolve(path));
  } catch (cause) {
    throw new CliError(
      'not_found',
      `Expected a file at ${path}, could not read it (${errno(cause) ?? 'no reason given'}).`,
      { cause },
    );
  }
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await read(path);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new CliError('usage', `${path}: expected JSON, found something else.`, { cause });
  }
}

export const evaluate: Verb = {
  path: ['policy', 'eval'],
  summary: 'Decides one input with a bundle; needs neither a database nor a compiler.',
  options: {
    input: { value: 'FILE', help: 'JSON: sections of the policy input; those left out are empty.', required: true },
    bundle: { value: 'FILE', help: 'A compiled bundle; the shipped baseline when absent.' },
    parameters: { value: 'FILE', help: "JSON: the tenant's parameters; none when absent." },
  },
  example: 'countersign policy eval --input ./input.json --bundle ./my-policies.tar.gz',
  details: 'Exit code 3: the policy gives no decision for this input.',
  run,
};
