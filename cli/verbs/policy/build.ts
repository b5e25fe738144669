import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PolicyError, SIGNATURE_ALGORITHMS, type SignatureKey } from '../../../policies/index.ts';
import { buildBundle } from '../../../policies/testing.ts';
import { CliError } from '../../errors.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';
import { folder, toolchain } from './source.ts';

async function run(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const out = resolve(args.required('out'));
  const options = {
    revision: args.required('revision'),
    ...(args.text('name') === null ? {} : { name: args.text('name') ?? '' }),
    ...(await signature(context)),
  };
  const identity = await buildBundle(folder(context), out, await toolchain(context), options).catch(explainRules);
  return {
    exit: 0,
    data: { out, ...identity },
    text: `${out}: ${identity.name} ${identity.revision}, digest ${identity.digest}`,
  };
}

/** Rules that opa refuses are an answer; a compiler that does not run is none. */
function explainRules(error: unknown): never {
  if (!(error instanceof PolicyError) || error.code !== 'rules_refused') throw error;
  throw new CliError('check_failed', error.message, { cause: error });
}

async function signature({ args }: VerbContext): Promise<{ signature?: SignatureKey }> {
  const path = args.text('signing-key');
  if (path === null) return {};
  const algorithm = SIGNATURE_ALGORITHMS.find((name) => name === (args.text('signing-alg') ?? 'RS256'));
  if (algorithm === undefined)
    throw new CliError('usage', 'policy build: --signing-alg is not an algorithm OPA knows.');
  const key = await readFile(resolve(path), 'utf8').catch((cause: unknown) => {
    throw new CliError('not_found', `Expected a signing key at ${path}, could not read it.`, { cause });
  });
  const keyId = args.text('signing-key-id') ?? 'global_key';
  return { signature: { keyId, algorithm, key, scope: args.text('signing-scope') ?? '' } };
}

export const build: Verb = {
  path: ['policy', 'build'],
  summary: 'Compiles a folder of Rego into a bundle the gateway can load.',
  positionals: ['DIR'],
  options: {
    out: { value: 'FILE', help: 'The bundle, ending in .tar.gz; its digests are written beside it.', required: true },
    revision: { value: 'TEXT', help: 'Names this version in every decision, e.g. a commit.', required: true },
    name: { value: 'NAME', help: "Default: the file's name up to its first dot." },
    'signing-key': { value: 'FILE', help: 'Signs the bundle: a private key (PEM), or the secret of an HS algorithm.' },
    'signing-alg': { value: 'ALG', help: 'Default: RS256.', choices: SIGNATURE_ALGORITHMS },
    'signing-key-id': { value: 'ID', help: 'What the verifying side calls the key. Default: global_key.' },
    'signing-scope': { value: 'TEXT', help: 'Scope the verifying side has to ask for.' },
  },
  example: 'countersign policy build ./my-rego --out ./my-policies.tar.gz --revision 2026-11-21',
  run,
};
