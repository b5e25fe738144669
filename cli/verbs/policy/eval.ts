import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { createPdp, createPolicyInput, INPUT_SECTIONS, loadBundle, type PolicyFacts } from '../../../policies/index.ts';
import { CliError, errno } from '../../errors.ts';
import { shippedBundles } from '../../project.ts';
import type { Answer, Json, Verb, VerbContext } from '../../verb.ts';

const killSwitch = z.looseObject({
  id: z.string(),
  kind: z.enum(['tenant', 'agent', 'model', 'tool']),
  target: z.string(),
});
/** What is read of them outside of the policies; the rest is theirs to judge. */
const facts = z.looseObject({
  tenant: z.looseObject({ id: z.string() }),
  kill_switches: z.array(killSwitch).optional(),
});
const parametersSchema = z.record(z.string(), z.json());

async function run({ args, project }: VerbContext): Promise<Answer> {
  const path = args.text('bundle') ?? join(shippedBundles(project), 'baseline.tar.gz');
  const bundle = loadBundle(await read(path), 'eval');
  const given = await readJson(args.required('input'), facts);
  refuseUnknown(args.required('input'), Object.keys(given));
  const parametersPath = args.text('parameters');
  const parameters = parametersPath === null ? {} : await readJson(parametersPath, parametersSchema);
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

/** A misspelt section would be an empty one, and the decision about another call. */
function refuseUnknown(path: string, names: readonly string[]): void {
  const unknown = names.find((name) => !INPUT_SECTIONS.includes(name));
  if (unknown === undefined) return;
  const expected = `expected sections of the policy input (${INPUT_SECTIONS.join(', ')})`;
  throw new CliError('usage', `${path}: ${expected}, found "${unknown.slice(0, 100)}".`);
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

/** @throws CliError `usage` naming the place in the file; never a value of it */
async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const bytes = await read(path);
  const fail = (what: string, cause: unknown): never => {
    throw new CliError('usage', `${path}: ${what}. See "countersign policy eval --help".`, { cause });
  };
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    return fail('expected JSON, found something else', cause);
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'the document' : issue.path.map(String).join('.');
  return fail(`${place}: ${issue?.message ?? 'it has another form'}`, checked.error);
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
