import { expect, test } from 'vitest';
import { createDatabase } from '../support/postgres.ts';

test('every call gives a migrated database of its own, reachable as superuser and as the gateway', async () => {
  const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
  try {
    expect(one.name).not.toBe(two.name);
    const [admin] = await one.connectAdmin()`select current_user as role, current_database() as name`;
    expect(admin).toEqual({ role: 'countersign_super', name: one.name });
    const [gateway] = await two.connectGateway()`
      select current_user as role, usesuper as super from pg_user where usename = current_user`;
    expect(gateway).toEqual({ role: 'cs_gateway', super: false });
  } finally {
    await Promise.all([one.drop(), two.drop()]);
  }
});
