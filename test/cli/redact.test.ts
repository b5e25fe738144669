import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { createCaseDesk } from '../../cli/redaction-cases.ts';
import { redactWith, type RedactionOptions } from '../../cli/redaction-profile.ts';
import { temporaryFolder } from '../support/folder.ts';
import { run } from '../support/program.ts';

const OPTIONS: RedactionOptions = {
  operator: 'replace',
  recognizers: 'default',
  language: 'en',
  entities: [],
  threshold: null,
  explain: false,
};

async function redact(input: string, argv: readonly string[] = []): Promise<{ status: number | null; stdout: string }> {
  const child = spawn(process.execPath, [join(process.cwd(), 'cli', 'bootstrap.js'), 'redact', ...argv]);
  child.stdin.end(input);
  const [stdout, status] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { status, stdout };
}

describe('redact', () => {
  test('leaves every other byte of its input as it was', async () => {
    const input = 'Mail jane.doe@example.com\r\nor call.\n\n🙂 end without a line break';
    expect(await redact(input)).toEqual({
      status: 0,
      stdout: input.replace('jane.doe@example.com', '<EMAIL_ADDRESS>'),
    });
  });

  test('reads a file, and says what it found without saying it', async () => {
    const path = join(temporaryFolder(), 'text.txt');
    writeFileSync(path, 'card 4012888888881881');
    const result = await run(['redact', path, '--operator', 'mask', '--explain']);
    expect(result).toMatchObject({ status: 0, stdout: 'card ************1881' });
    expect(result.stderr).toMatch(/^CREDIT_CARD 5-21 /m);
    expect(result.stderr).not.toContain('4012888888881881');
  });

  test.each([
    [['--profile', 'nope'], 2],
    [['--threshold', '2'], 2],
    [['/does/not/exist'], 1],
    [['--cases', '/does/not/exist.jsonl'], 1],
  ])('%j is refused', async (argv, status) => {
    expect((await run(['redact', ...argv])).status).toBe(status);
  });

  test('prints one document with --json', async () => {
    const path = join(temporaryFolder(), 'text.txt');
    writeFileSync(path, 'to a@example.com');
    const { stdout } = await run(['redact', path, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      profile: 'strict',
      text: 'to <EMAIL_ADDRESS>',
      findings: [{ entity_type: 'EMAIL_ADDRESS', start: 3, end: 16 }],
    });
  });

  test('text that is not UTF-8 is refused, not guessed', async () => {
    const path = join(temporaryFolder(), 'text.txt');
    writeFileSync(path, Buffer.from([0x61, 0xff, 0x62]));
    expect((await run(['redact', path])).status).toBe(1);
  });
});

test('what was found more often than a request may hold is still removed', () => {
  const text = Array.from({ length: 12_000 }, (_, index) => `user${String(index)}@example.com`).join(' ');
  expect(redactWith('strict', text, OPTIONS).text).not.toContain('@');
});

describe('cases', () => {
  test('are evaluated line by line', async () => {
    const path = join(temporaryFolder(), 'cases.jsonl');
    const row = {
      id: 'one',
      kind: 'anonymizer',
      steps: [
        { call: 'operator', target: 'Mask', input: { method: 'operator_name' } },
        { call: 'from_json', target: 'OperatorConfig', input: { json: {} } },
      ],
    };
    writeFileSync(path, `${JSON.stringify(row)}\n\n${JSON.stringify({ id: 'two', kind: 'unheard of' })}\n`);
    const { status, stdout } = await run(['redact', '--cases', path]);
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        id: 'one',
        got: [
          { value: 'mask' },
          {
            error: {
              type: 'InvalidParamError',
              message: 'Invalid input, operator config must contain operator_name',
            },
          },
        ],
      },
      { id: 'two', got: { error: { type: 'unknown_case', message: expect.stringContaining('unheard of') as string } } },
    ]);
  });

  test('of the services are answered by the same routes', async () => {
    const request = { method: 'GET', path: '/health', content_type: null, raw_body: null };
    const got = await Promise.all(
      ['analyzer', 'anonymizer'].map((service) =>
        createCaseDesk().evaluate({ kind: 'rest.observed', request: { ...request, service } }),
      ),
    );
    expect(got).toEqual(
      ['Analyzer', 'Anonymizer'].map((name) => ({
        status: 200,
        content_type: 'text/html; charset=utf-8',
        text: `Presidio ${name} service is up`,
      })),
    );
  });
});
