import { buffer } from 'node:stream/consumers';
import { isUtf8 } from 'node:buffer';
import { requestErasure, type ErasureResult } from '../../gateway/ingress/admin/erasure-desk.ts';
import { findPerson, LEGAL_BASES, LedgerError, type Found, type LegalBasis, type Person } from '../../ledger/index.ts';
import { normalise } from '../../redaction/index.ts';
import { withDatabase } from '../database.ts';
import { CliError } from '../errors.ts';
import { pendingAnswer } from '../governance-desk.ts';
import { operator, operatorParty, withKeyDesk, withReading } from '../key-desk.ts';
import type { Answer, Arguments, Json, Verb, VerbContext } from '../verb.ts';

const MAX_VALUE = 1000;
/** Entries shown without --json; all are in the JSON. */
const SHOWN = 20;

async function run(context: VerbContext): Promise<Answer> {
  const { args } = context;
  const config = context.project.config();
  const tenant = args.required('tenant');
  if (!config.tenants.has(tenant))
    throw new CliError('not_found', `Expected a tenant of the configuration, found "${tenant.slice(0, 41)}".`);
  const person = await readPerson(args);
  if (args.flag('find')) {
    return withReading(context, { tenant, verb: 'erasure.find' }, async ({ sql, keys }) => {
      const found = await findPerson(sql, keys, tenant, person);
      return { exit: 0, data: foundData(found), text: foundText(found) };
    });
  }
  const wish = { tenant, person, basis: readBasis(args), reason: required(args, 'reason') };
  return withDatabase(context, config, async (database) => {
    const result = await withKeyDesk(context, config, database, (desk) =>
      requestErasure(desk, wish, operatorParty(operator())).catch(explainHold),
    );
    return describe(result);
  });
}

function explainHold(error: unknown): never {
  if (error instanceof LedgerError && error.code === 'held') throw new CliError('held', error.message);
  throw error;
}

/** A subject by its id, or a value that a content names, from standard input: arguments are visible to other users. */
async function readPerson(args: Arguments): Promise<Person> {
  const [type] = args.positionals;
  const subject = args.text('subject');
  if ((type === undefined) === (subject === null))
    throw new CliError('usage', 'erase: expected either TYPE, with the value on standard input, or --subject ID.');
  if (type === undefined) return { subject: subject === '-' || subject === null ? await readValue() : subject };
  if (!/^[A-Z][A-Z0-9_]{1,63}$/.test(type))
    throw new CliError('usage', 'erase: expected an entity type such as EMAIL_ADDRESS, found another form.');
  return { named: { type, value: normalise(type, await readValue()) } };
}

async function readValue(): Promise<string> {
  const bytes = await buffer(process.stdin);
  const value = isUtf8(bytes) ? bytes.toString('utf8').trim() : '';
  if (value.length >= 1 && value.length <= MAX_VALUE) return value;
  throw new CliError('usage', `erase: expected a value of 1 to ${String(MAX_VALUE)} characters on standard input.`);
}

function readBasis(args: Arguments): LegalBasis {
  const text = required(args, 'basis');
  const basis = LEGAL_BASES.find((each) => each === text);
  if (basis !== undefined) return basis;
  throw new CliError('usage', `--basis: expected one of ${LEGAL_BASES.join(', ')}.`);
}

function required(args: Arguments, name: string): string {
  const text = args.text(name);
  if (text !== null && text.length >= 1 && text.length <= MAX_VALUE) return text;
  throw new CliError('usage', `erase: --${name} is required unless --find is given.`);
}

function describe(result: ErasureResult): Answer {
  const data = foundData(result.found);
  if (result.outcome === 'nothing')
    return {
      exit: 0,
      data: { ...data, erased: null },
      text: 'Nothing to erase: no key seals entries about this person.',
    };
  if (result.outcome === 'pending') {
    const pending = pendingAnswer(result.request);
    return { exit: 1, data: { ...data, ...pending.data }, text: `${foundText(result.found)}\n${pending.text}` };
  }
  const { entry, keys } = result.erased;
  const left = result.found.keys.length - keys.length;
  const rest = left > 0 ? ` ${String(left)} more keys are left: run the command again.` : '';
  const text = `Destroyed ${String(keys.length)} keys; recorded as entry ${String(entry.seq)} of log ${entry.log}.${rest}`;
  return { exit: 0, data: { ...data, erased: { log: entry.log, seq: entry.seq, keys: [...keys] } }, text };
}

function foundData({ mac, keys, entries, ...found }: Found): { readonly [name: string]: Json } {
  return {
    ...found,
    person: mac,
    keys: keys.map((key) => ({ ...key })),
    entries: entries.map(({ timeMs, ...entry }) => ({ ...entry, time: new Date(timeMs).toISOString() })),
  };
}

function foundText({ keys, entries, matches, unknown }: Found): string {
  const lines = [`${String(matches)} entries, sealed with ${String(keys.length)} keys:`];
  for (const { key, month, seals, matches: about, entries: all } of keys)
    lines.push(
      `  key ${key} (${month}, ${seals}s): ${String(about)} entries about the person, ${String(all)} would be erased`,
    );
  for (const { seq, kind, call, timeMs } of entries.slice(0, SHOWN))
    lines.push(`  ${new Date(timeMs).toISOString()}  entry ${String(seq)}  ${kind}  ${call}`);
  if (matches > SHOWN) lines.push(`  … and ${String(matches - SHOWN)} more; see --json`);
  if (unknown > 0)
    lines.push(`${String(unknown)} entries with findings have no complete index: they may name the person too.`);
  return lines.join('\n');
}

export const verbs: readonly Verb[] = [
  {
    path: ['erase'],
    summary: 'Erases what is kept about a person by destroying keys; with --find only lists it.',
    positionals: ['[TYPE]'],
    options: {
      tenant: { value: 'ID', help: 'Tenant whose log it is about.', required: true },
      find: { help: 'List the entries and the keys that would be destroyed, and do nothing.' },
      subject: {
        value: 'ID',
        help: 'A caller by its id, e.g. key:<id> or <issuer>:<subject>; - reads it from standard input.',
      },
      basis: { value: 'BASIS', help: `Legal basis: ${LEGAL_BASES.join(', ')}.` },
      reason: { value: 'TEXT', help: 'Kept with the evidence; name nobody in it.' },
    },
    example: "printf %s 'eve@example.com' | countersign erase EMAIL_ADDRESS --find --tenant demo",
    details:
      'TYPE is the entity type of a value that requests or answers name; the value comes from standard input, never from the command\n' +
      'line. A key seals the decisions or the outcomes of one caller in one month, and both keys of a call go together: the list\n' +
      'says how many other entries lose their contents with them. Erasing needs the approval of a second person; without it the\n' +
      'exit code is 1 and the approval is named. Facts, order and hashes stay, so the ledger stays verifiable. A legal hold blocks\n' +
      'it. See docs/erasure.md.',
    run,
  },
];
