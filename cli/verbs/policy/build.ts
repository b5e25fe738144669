import { resolve } from 'node:path';
import { buildBundle } from '../../../policies/testing.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';
import { folder, toolchain } from './source.ts';

async function run(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const out = resolve(args.required('out'));
  const options = {
    revision: args.required('revision'),
    ...(args.text('name') === null ? {} : { name: args.text('name') ?? '' }),
  };
  const identity = await buildBundle(folder(context), out, await toolchain(context), options);
  return {
    exit: 0,
    data: { out, ...identity },
    text: `${out}: ${identity.name} ${identity.revision}, digest ${identity.digest}`,
  };
}

export const build: Verb = {
  path: ['policy', 'build'],
  summary: 'Compiles a folder of Rego into a bundle the gateway can load.',
  positionals: ['DIR'],
  options: {
    out: { value: 'FILE', help: 'The bundle, ending in .tar.gz; its digests are written beside it.', required: true },
    revision: { value: 'TEXT', help: 'Names this version in every decision, e.g. a commit.', required: true },
    name: { value: 'NAME', help: "Default: the file's name up to its first dot." },
  },
  example: 'countersign policy build ./my-rego --out ./my-policies.tar.gz --revision 2026-11-21',
  run,
};
