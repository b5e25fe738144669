import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { readReleaseBundle, requestRelease } from '../../../gateway/governance/release-desk.ts';
import { CliError, errno } from '../../errors.ts';
import { atDesk, explainRefusal, governedAnswer, pendingAnswer, TENANT, tenantOf } from '../../governance-desk.ts';
import type { Answer, Verb, VerbContext } from '../../verb.ts';

function run(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const tenant = tenantOf(context);
  const [file = ''] = args.positionals;
  const name = args.text('name') ?? basename(file).split('.', 1)[0] ?? '';
  const bundle = readBundle(file, name);
  const reportFile = args.text('report');
  const report = reportFile === null ? null : createHash('sha256').update(read(reportFile)).digest('hex');
  const stage = args.flag('shadow') ? 'shadow' : 'active';
  return atDesk(context, async (desk, by) => {
    const result = await requestRelease(desk, { tenant, bundle, stage, report }, by);
    const { revision, digest } = bundle.identity;
    const what = stage === 'active' ? 'decides' : 'is tried beside the active policies';
    if (result.outcome === 'pending') return pendingAnswer(result.request, BY_APPROVER);
    return governedAnswer(result, {
      data: { tenant, stage, ...bundle.identity, report },
      text: `${name} ${revision} (${digest}) ${what} for ${tenant} within seconds.`,
    });
  });
}

/** Whoever approves a release carries it out. */
const BY_APPROVER = { approve: 'policy approve', after: 'That carries it out.' };

function readBundle(file: string, name: string): ReturnType<typeof readReleaseBundle> {
  const bytes = read(file);
  try {
    return readReleaseBundle(bytes, name);
  } catch (error) {
    return explainRefusal(error);
  }
}

function read(path: string): Buffer {
  try {
    return readFileSync(resolve(path));
  } catch (cause) {
    throw new CliError('not_found', `Expected a file at ${path}, could not read it (${errno(cause) ?? 'unknown'}).`, {
      cause,
    });
  }
}

export const activate: Verb = {
  path: ['policy', 'activate'],
  summary: 'Releases a bundle for a tenant while gateways run, with the approval of a policy-approver.',
  positionals: ['FILE'],
  options: {
    tenant: TENANT,
    name: {
      value: 'NAME',
      help: "Its name among the tenant's policies. Default: the file's name up to its first dot.",
    },
    report: { value: 'FILE', help: 'The review report; its digest is approved and recorded with the release.' },
    shadow: { help: 'Only tried beside the active policies; each call records how it would have been decided.' },
  },
  example: 'countersign policy activate my-policies.tar.gz --tenant demo --report review/review.json',
  details:
    'The first run leaves a pending approval over exactly these digests (exit code 1). A policy-approver carries it out with\n' +
    '"policy approve", or approves it with "approvals approve" and the same command is run again.',
  run,
};
