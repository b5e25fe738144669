import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readArguments } from '../../cli/arguments.ts';
import { readDatabaseUrl } from '../../cli/database-url.ts';
import { greeting } from '../../cli/greeting.ts';
import { helpPage, listHelp, verbHelp } from '../../cli/help.ts';
import { openProject } from '../../cli/project.ts';
import type { Verb } from '../../cli/verb.ts';
import { loadVerbs } from '../../cli/verbs/index.ts';
import { temporaryFolder } from '../support/folder.ts';

const verbs = await loadVerbs([]);

describe('every verb', () => {
  test.each(verbs.map((verb) => [verb.path.join(' '), verb] as const))(
    '%s has help with an example that it accepts',
    (name, verb) => {
      const help = verbHelp(verb);
      expect(help).toContain(`Usage: countersign ${name}`);
      expect(help).toMatch(/--json .*\n/);
      expect(help).toContain('Exit codes: 0 ok, 1 ');
      const words = verb.example.replace(/^.*?countersign /, '').match(/"[^"]*"|\S+/g) ?? [];
      expect(words.slice(0, verb.path.length)).toEqual(verb.path);
      expect(() => readArguments(verb, words.slice(verb.path.length))).not.toThrow();
    },
  );

  test('is in the list and on the page', () => {
    for (const verb of verbs) {
      expect(listHelp(verbs, [])).toContain(verb.summary);
      expect(helpPage(verbs)).toContain(`## ${verb.path.join(' ')}\n`);
    }
  });

  test('of a group can be listed alone', () => {
    expect(listHelp(verbs, ['keys'])).toContain('keys revoke');
    expect(listHelp(verbs, ['keys'])).not.toContain('ledger verify');
  });
});

describe('arguments', () => {
  const verb: Verb = {
    path: ['ledger', 'export'],
    summary: 'x',
    positionals: ['DIR', '[OTHER]'],
    options: {
      tenant: { value: 'ID', help: 'x', required: true },
      format: { value: 'F', help: 'x', choices: ['csv', 'json'] },
      fast: { help: 'x' },
    },
    example: 'countersign ledger export --tenant demo',
    run: () => Promise.resolve(null),
  };

  test('are read by name', () => {
    const args = readArguments(verb, ['here', '--tenant', 'demo', '--format=csv', '--fast']);
    expect([
      args.positionals,
      args.required('tenant'),
      args.text('format'),
      args.flag('fast'),
      args.text('config'),
      args.flag('json'),
    ]).toEqual([['here'], 'demo', 'csv', true, null, false]);
  });

  test.each([
    [['here'], /--tenant ID is required/],
    [['--tenant', 'demo'], /expected DIR/],
    [['a', 'b', 'c', '--tenant', 'demo'], /did not expect "c"/],
    [['a', '--tenant', 'demo', '--format', 'xml'], /--format: expected csv, json, found "xml"/],
    [['a', '--tenant', 'demo', '--nope'], /--nope/],
    [['a', '--tenant'], /--tenant/],
    [['a', '--tenant', 'demo', '--fast=1'], /--fast/],
  ])('%j are refused with the reason and the way to the help', (words, message) => {
    const read = (): unknown => readArguments(verb, words);
    expect(read).toThrowError(message);
    expect(read).toThrowError(/See "countersign ledger export --help"/);
    expect(read).toThrowError(expect.objectContaining({ code: 'usage', exitCode: 2 }));
  });

  test('need not be complete to ask for help', () => {
    expect(readArguments(verb, ['--help']).flag('help')).toBe(true);
  });
});

describe('the project', () => {
  test('has its state beside the configuration that was named, or found here, or shipped', () => {
    const [here, root] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(here, 'other.yaml'), '');
    const at = (configOption: string | null, env: NodeJS.ProcessEnv = {}): [string, string] => {
      const project = openProject({ root, cwd: here, env, configOption });
      return [project.configPath, project.stateDir];
    };
    expect(at('other.yaml')).toEqual([join(here, 'other.yaml'), join(here, '.countersign')]);
    expect(at(null, { COUNTERSIGN_CONFIG: 'other.yaml' })[0]).toBe(join(here, 'other.yaml'));
    expect(at(null)).toEqual([join(root, 'countersign.yaml'), join(root, '.countersign')]);
    writeFileSync(join(here, 'countersign.yaml'), '');
    expect(at(null)[1]).toBe(join(here, '.countersign'));
    expect(() => at('absent.yaml')).toThrowError(expect.objectContaining({ code: 'config_invalid' }));
  });

  test('checks the parameters of the policies with the file', () => {
    const here = temporaryFolder();
    writeFileSync(
      join(here, 'countersign.yaml'),
      'providers: { sandbox: { kind: sandbox } }\nmodels: [{ name: m, deployments: [{ provider: sandbox, model: echo }] }]\n' +
        'tenants: [{ id: demo, policies: [baseline], parameters: { modles: [m] } }]\n',
    );
    const project = openProject({ root: here, cwd: here, env: {}, configOption: null });
    expect(() => project.config()).toThrowError(/tenants\[0\]\.parameters/);
  });
});

describe('database.url', () => {
  test('is read completely, with TLS unless the server is here', () => {
    expect(readDatabaseUrl('postgres://app:p%40ss@db.internal:6432/gate')).toEqual({
      host: 'db.internal',
      port: 6432,
      user: 'app',
      password: 'p@ss',
      database: 'gate',
      ssl: 'verify-full',
    });
    expect(readDatabaseUrl('postgresql://app:x@127.0.0.1/gate')).toMatchObject({ ssl: false, port: 5432 });
    expect(readDatabaseUrl('postgres://app:x@[::1]/gate')).toMatchObject({ host: '::1', ssl: false });
    expect(readDatabaseUrl('postgres://app:x@localhost/gate?host=%2Frun%2Fpg&port=5433')).toMatchObject({
      host: '/run/pg',
      port: 5433,
      ssl: false,
    });
    expect(readDatabaseUrl('postgres://app:x@db/gate?sslmode=require')).toMatchObject({ ssl: 'require' });
  });

  test.each([
    'mysql://app:topsecret@db/gate',
    'topsecret',
    'postgres://app:topsecret@db',
    'postgres://:topsecret@db/gate',
    'postgres://app:topsecret@db/gate?sslmode=allow',
    'postgres://app:topsecret@db/gate?options=-c%20x',
    'postgres://app:topsecret@db/gate?port=99999',
  ])('%s is refused without repeating it', (url) => {
    expect(() => readDatabaseUrl(url)).toThrowError(
      expect.objectContaining({ code: 'config_invalid', message: expect.not.stringContaining('topsecret') as string }),
    );
  });
});

describe('the greeting', () => {
  const facts = {
    dataUrl: 'http://127.0.0.1:8787',
    adminUrl: 'http://127.0.0.1:8788',
    model: 'sandbox',
    startMs: 412,
    terminal: true,
  };

  test('has the start time and a call that a shell can run', () => {
    const text = greeting({ ...facts, firstKey: "/srv/it's here/.countersign/first-key" });
    expect(text).toContain('ready after 0.41 s');
    expect(text).toContain(String.raw`$(cat '/srv/it'\''s here/.countersign/first-key')`);
    expect(text).toContain('curl http://127.0.0.1:8787/v1/chat/completions');
  });

  test('without a first key says how to get one', () => {
    expect(greeting({ ...facts, firstKey: null })).toContain('countersign keys create');
  });
});
