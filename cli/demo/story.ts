import type { Sql } from 'postgres';
import { formatReport, monthlyReport, monthRange } from '../../costs/index.ts';
import { createEgress, type Egress, type EgressReply } from '../../gateway/egress.ts';
import type { KeyRing, VerifyReport } from '../../ledger/index.ts';
import { readOutcomes, verifyLive } from '../../ledger/index.ts';
import type { ObservedModel } from './model.ts';

export interface Stage {
  readonly say: (line: string) => void;
  readonly dataUrl: string;
  readonly key: string;
  readonly model: ObservedModel;
  /** With the rights of the database's owner: what the last chapter needs to break something. */
  readonly owner: Sql;
  readonly keys: KeyRing;
  readonly now: () => number;
}

const ADDRESS = 'ada.lovelace@example.com';
/** Has the form of a cloud key and opens nothing. */
const SECRET = 'AKIAIOSFODNN7EXAMPLF';

/** Tells the story; true when everything came out as told. */
export async function tell(stage: Stage): Promise<boolean> {
  const egress = createEgress();
  try {
    const chapters = [
      await personalData(stage, egress),
      await secret(stage, egress),
      await stream(stage, egress),
      await cost(stage),
      await verification(stage),
      await tampering(stage),
    ];
    return chapters.every(Boolean);
  } finally {
    await egress.close();
  }
}

async function personalData(stage: Stage, egress: Egress): Promise<boolean> {
  const { say, model } = stage;
  say('\n1. Personal data');
  const text = `Please write to ${ADDRESS} about her order.`;
  const reply = await ask(stage, egress, { messages: [{ role: 'user', content: text }] });
  const answer = (JSON.parse(reply.body.toString('utf8')) as { choices: { message: { content: string } }[] })
    .choices[0];
  say(`   the application sent   ${text}`);
  say(`   the model received     ${model.sawText()}`);
  say(`   the application got    ${answer?.message.content ?? ''}`);
  say(`   receipt                ${(reply.headers.get('x-countersign-receipt') ?? '').slice(0, 60)}…`);
  return !model.sawText().includes(ADDRESS) && (answer?.message.content ?? '').includes(ADDRESS);
}

async function secret(stage: Stage, egress: Egress): Promise<boolean> {
  stage.say('\n2. A secret never leaves');
  const reply = await ask(stage, egress, { messages: [{ role: 'user', content: `Use the key ${SECRET} to deploy.` }] });
  const { error } = JSON.parse(reply.body.toString('utf8')) as { error: { message: string; code: string } };
  stage.say(`   HTTP ${String(reply.status)} ${error.code}: ${error.message}`);
  return reply.status === 403 && !reply.body.includes(SECRET);
}

async function stream(stage: Stage, egress: Egress): Promise<boolean> {
  const { say, model } = stage;
  say('\n3. A stream, with the address restored although the model sent its placeholder in pieces');
  const reply = await ask(stage, egress, {
    stream: true,
    messages: [{ role: 'user', content: `Mail ${ADDRESS} now.` }],
  });
  const received = reply.body
    .toString('utf8')
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .flatMap((line) => (JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }).choices)
    .map((choice) => choice.delta.content ?? '')
    .filter((piece) => piece !== '');
  say(`   the model sent         ${model.sentPieces().join('|')}`);
  say(`   the application got    ${received.join('|')}`);
  return received.join('').includes(ADDRESS);
}

async function cost({ say, owner, now }: Stage): Promise<boolean> {
  say('\n4. What it cost, from the ledger alone');
  const month = new Date(now()).toISOString().slice(0, 7);
  const { fromMs, toMs } = monthRange(month);
  const report = await monthlyReport(readOutcomes(owner, 'demo', fromMs, toMs), { tenant: 'demo', month });
  say(indented(formatReport(report, 'table')));
  return true;
}

async function verification({ say, owner, keys }: Stage): Promise<boolean> {
  say('\n5. The evidence');
  const report = await verifyLive(owner, keys);
  say(
    `   ${verdictOf(report)}: ${String(report.entries)} entries in ${String(report.logs.length)} logs, ${String(report.openCalls)} open calls`,
  );
  say(
    '   unanchored, because nothing outside this machine has seen these logs yet: whoever owns it could rewrite all of them.',
  );
  return report.consistent;
}

async function tampering({ say, owner, keys }: Stage): Promise<boolean> {
  say('\n6. Somebody with the rights of the owner changes one byte');
  const [row] = await owner<{ log: string; seq: string; facts: string }[]>`
    select log, seq::text as seq, facts from ledger.entries
    where kind = 'outcome' and facts like '%"status":"ok"%' order by log, seq limit 1`;
  if (row === undefined) return false;
  const broken = row.facts.replace('"status":"ok"', '"status":"oK"');
  await overwrite(owner, row, broken);
  const found = await verifyLive(owner, keys);
  say(`   ${verdictOf(found)}: ${found.firstBad?.problem ?? ''}`);
  say(
    `   log ${row.log.slice(0, 16)}…, entry ${String(found.firstBad?.seq)}, section ${found.firstBad?.section ?? '-'}`,
  );
  await overwrite(owner, row, row.facts);
  const again = await verifyLive(owner, keys);
  say(`   the byte is put back: ${verdictOf(again)}`);
  return found.verdict === 'TAMPERED' && found.firstBad?.section === 'facts' && again.consistent;
}

/** The triggers that refuse changes hold against every role but the owner: it can switch them off, and is found out. */
async function overwrite(owner: Sql, { log, seq }: { log: string; seq: string }, facts: string): Promise<void> {
  await owner.begin(async (tx) => {
    const [table] = await tx<{ name: string }[]>`
      select tableoid::regclass::text as name from ledger.entries where log = ${log} and seq = ${seq}::bigint`;
    const name = tx((table?.name ?? '').split('.').at(-1) ?? '');
    await tx`alter table ledger.${name} disable trigger refuse_change`;
    await tx`update ledger.${name} set facts = ${facts} where log = ${log} and seq = ${seq}::bigint`;
    await tx`alter table ledger.${name} enable always trigger refuse_change`;
  });
}

function verdictOf(report: VerifyReport): string {
  return report.verdict === 'UNANCHORED' ? 'CONSISTENT, UNANCHORED' : report.verdict;
}

function ask(stage: Stage, egress: Egress, body: object): Promise<EgressReply> {
  return egress.request({
    purpose: 'demo',
    url: `${stage.dataUrl}/v1/chat/completions`,
    method: 'POST',
    headers: { authorization: `Bearer ${stage.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox', ...body }),
    timeoutMs: 20_000,
    maxBytes: 1_000_000,
  });
}

function indented(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line === '' ? '' : `   ${line}`))
    .join('\n');
}
