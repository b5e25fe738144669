// One operating-system process that appends as a gateway does: compiled product code, a lease and a key of its own. It reads one
// round a line, {scope, tenants, first, calls, reserved, spent}, and answers one line, {fitted, refused}; it ends with its input.
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { connect } from '../../../dist/cli/embedded/connection.js';
import { openKeyRing, openLedger } from '../../../dist/ledger/index.js';

const LANES = 4;
const { connection, origin, rootKey } = JSON.parse(process.argv[2]);
const sql = connect(connection, 2);
const writerSql = connect(connection, 1);
const keys = await openKeyRing({ sql, rootKey: Buffer.from(rootKey, 'hex'), tenants: ['_deployment'] });
const ledger = await openLedger({ sql, writerSql, keys, origin, now: Date.now, appendTimeoutMs: 60_000 });
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** A call as far as its budget lets it: whether it fitted. */
async function call({ scope, reserved, spent }, tenant) {
  const id = `cs-${randomBytes(16).toString('hex')}`;
  const like = { tenant, call: id, subject: 'user:ada' };
  const reserve = { scopes: [scope], nusd: BigInt(reserved) };
  try {
    const sections = { facts: { effect: 'allow' }, content: { text: 'x'.repeat(500) } };
    await ledger.append({ ...like, kind: 'decision', class: 'decision', sections, open: true, reserve });
  } catch (error) {
    if (error.code === 'budget_exceeded' && error.scope === scope) return false;
    throw error;
  }
  const settle = { nusd: BigInt(spent) };
  await ledger.append({ ...like, kind: 'outcome', class: 'outcome', sections: { facts: { status: 'ok' } }, settle });
  return true;
}

say({ wid: ledger.wid, pid: process.pid });
for await (const line of createInterface({ input: process.stdin })) {
  const round = JSON.parse(line);
  const tenants = Array.from(
    { length: round.calls },
    (_, index) => round.tenants[(round.first + index) % round.tenants.length],
  );
  const results = [];
  // A few at a time, so that the processes really take turns.
  const lane = async () => {
    for (let tenant = tenants.pop(); tenant !== undefined; tenant = tenants.pop())
      results.push(await call(round, tenant));
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const fitted = results.filter(Boolean).length;
  say({ fitted, refused: results.length - fitted });
}
await ledger.close();
await Promise.all([sql.end({ timeout: 5 }), writerSql.end({ timeout: 5 })]);
