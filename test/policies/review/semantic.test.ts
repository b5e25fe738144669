import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { compareRules } from '../../../policies/review/semantic.ts';
import type { SemanticDiff } from '../../../policies/review/semantic.ts';
import { parseFolder } from '../../../policies/reviewing.ts';
import { findTools, required, withFolder } from '../toolchain.ts';

/** What counts as a change of a rule, and what only as another way to write it. */
const tools = await findTools();
const run = test.skipIf(tools === null);

const BEFORE = `package a.rules

import data.a.facts

# METADATA
# title: Blocked hosts
# custom: { rule: hosts.blocked, severity: high, controls: ["x:1"] }
deny contains reason if {
	some url in input.urls
	not url.host in facts.hosts
	reason := {"rule": "hosts.blocked", "host": url.host}
}

deny contains "late" if input.hour > 22

default limit := 10

score(n) := 1 if n > 3
`;

async function compare(before: string, after: string, file = 'rules.rego'): Promise<SemanticDiff> {
  return withFolder(async (dir) => {
    const parse = async (name: string, path: string, text: string): ReturnType<typeof parseFolder> => {
      const full = join(dir, name, path);
      await mkdir(dirname(full), { recursive: true });
      await writeFile(full, text);
      return parseFolder(required(tools).opa, join(dir, name));
    };
    return compareRules(await parse('before', 'rules.rego', before), await parse('after', file, after));
  });
}

run('another way to write the same rules is no change', async () => {
  const after = `# A comment.
package a.rules

import data.a.facts as known

score(count) := 1 if {
	count > 3 # more
}

deny contains "late" if { input.hour > 22 }

# METADATA
# title: Blocked hosts
# custom: { severity: high, rule: hosts.blocked, controls: ["x:1"] }
deny contains why if {
	some link in input.urls
	not link.host in known.hosts
	why := {"host": link.host, "rule": "hosts.blocked"}
}

default limit := 10
`;
  expect(await compare(BEFORE, after, 'elsewhere/other.rego')).toEqual({ changes: [], unchanged: 3, rewritten: 2 });
});

run.each([
  ['a constant', BEFORE.replace('> 22', '> 21'), ['changed data.a.rules.deny']],
  ['an operator', BEFORE.replace('n > 3', 'n >= 3'), ['changed data.a.rules.score']],
  ['a negation', BEFORE.replace('not url', 'url'), ['changed data.a.rules.deny']],
  ['another field', BEFORE.replace('input.hour', 'input.day'), ['changed data.a.rules.deny']],
  ['another function', BEFORE.replace('facts.hosts', 'facts.known'), ['changed data.a.rules.deny']],
  ['another import', BEFORE.replace('import data.a.facts', 'import data.b.facts'), ['changed data.a.rules.deny']],
  ['a default', BEFORE.replace(':= 10', ':= 11'), ['changed data.a.rules.limit']],
  ['which variable', BEFORE.replace('"host": url.host', '"host": url'), ['changed data.a.rules.deny']],
  ['a definition less', BEFORE.replace(/deny contains "late".*\n/, ''), ['changed data.a.rules.deny']],
  ['a rule less', BEFORE.replace(/score.*\n/, ''), ['removed data.a.rules.score']],
  ['a rule more', `${BEFORE}\nmore := 1\n`, ['added data.a.rules.more']],
  ['severity', BEFORE.replace('severity: high', 'severity: low'), ['metadata data.a.rules.deny']],
])('%s is a change', async (_what, after, changes) => {
  const diff = await compare(BEFORE, after);
  expect(diff.changes.map(({ kind, name }) => `${kind} ${name}`)).toEqual(changes);
});

run.each([
  ['changed', BEFORE.replace('> 22', '> 21'), null],
  ['changed', BEFORE.replace('not url', 'url'), 'Blocked hosts'],
  ['gone', BEFORE.replace(/deny contains "late".*\n/, ''), null],
  [
    'new',
    `${BEFORE}\n# METADATA\n# title: Early\n# custom: { rule: hours.early, severity: low, controls: [] }\ndeny contains "early" if input.hour < 4\n`,
    'Early',
  ],
  ['described otherwise', BEFORE.replace('severity: high', 'severity: low'), 'Blocked hosts'],
])('what is told about a rule is of the definition that is %s', async (_what, after, title) => {
  const { changes } = await compare(BEFORE, after);
  expect(changes.map(({ about }) => about.title)).toEqual([title]);
});
