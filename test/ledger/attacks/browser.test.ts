import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildPage } from '../../../cli/bootstrap/page.js';
import { readTrust, verifyFolder } from '../../../ledger/index.ts';
import type { VerifyReport } from '../../../ledger/index.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { run } from '../../support/program.ts';
import { BrowserPage, findChromium } from '../../support/chromium.ts';
import { CASES } from './cases.ts';
import type { Trust } from './cases.ts';
import { HOSTILE } from './hostile.ts';
import { FILE_CASES } from './file-cases.ts';
import { PAST_CASES } from './past-cases.ts';
import { expectVerdict, prepare } from './prepared.ts';
import { openStand } from './stand.ts';
import type { Stand } from './stand.ts';

const chromium = findChromium();
let stand: Stand;
let page: BrowserPage;
beforeAll(async () => {
  if (chromium === null) return;
  stand = await openStand();
  const file = join(stand.root, 'verifier.html');
  await buildPage(process.cwd(), file);
  page = await BrowserPage.open(chromium, file);
});
afterAll(async () => {
  if (chromium === null) return;
  await page.close();
  await stand.close();
});

/** What somebody does who opens the page: chooses files, and asks. */
async function check(dir: string, trust: Trust, at?: number): Promise<VerifyReport> {
  await page.choose('#folder', dir);
  for (const input of ['policy', 'certificates', 'checkpoints', 'receipts'] as const) {
    const file = trust[input];
    await page.choose(`#${input}`, ...(file === undefined ? [] : [stand.file(file)]));
  }
  await page.evaluate(`document.getElementById('at').value = ${JSON.stringify(String(at ?? ''))}`);
  const json = await page.evaluate(`new Promise((done) => {
    const button = document.getElementById('verify');
    new MutationObserver(() => { if (!button.disabled) done(document.getElementById('json').textContent || document.getElementById('report').textContent); })
      .observe(button, { attributes: true });
    button.click();
  })`);
  return JSON.parse(String(json)) as VerifyReport;
}

describe.skipIf(chromium === null)('the page in a browser without a network answers the same', () => {
  test.each(
    [...CASES, ...FILE_CASES, ...PAST_CASES].map((each) => [`${String(each.attack)}: ${each.name}`, each] as const),
  )('%s', async (_, each) => {
    const bundle = await prepare(stand, each);
    expectVerdict(await check(bundle.dir, each.trust, each.at), bundle, each.expect);
  });

  test.each(HOSTILE.filter(({ onDiskOnly }) => onDiskOnly !== true).map((each) => [each.name, each] as const))(
    'hostile: %s',
    async (_, { change, fits = 'digests', expect: wanted, reason }) => {
      const bundle = await prepare(stand, { base: 'good', fits, ...(change === undefined ? {} : { change }) });
      const report = await check(bundle.dir, {});
      expectVerdict(report, bundle, wanted);
      expect(report.reason).toBe(reason ?? null);
      // Nothing of a bundle becomes markup.
      expect(await page.evaluate('document.querySelector("#report").children.length + (document.body.dataset.owned ?? "")')).toBe('0'); // prettier-ignore
    },
  );

  test('to the last word of the report, and asks nobody', async () => {
    const trust = { policy: 'policy', certificates: 'certificates' } as const;
    const bundle = await prepare(stand, { base: 'younger' });
    const texts = { policy: readFileSync(stand.file('policy'), 'utf8'), certificates: readFileSync(stand.file('certificates'), 'utf8') }; // prettier-ignore
    const here = await verifyFolder(bundle.dir, readTrust(texts));
    expect(await check(bundle.dir, trust)).toEqual(JSON.parse(JSON.stringify(here)));
    expect(page.requested.filter((url) => !url.startsWith('file://'))).toEqual([]);
    const fetched = await page.evaluate('fetch("https://example.com/").then(() => "sent", (error) => error.name)');
    expect(fetched).toBe('TypeError');
  });
});

test('the command writes the page that was tested', async () => {
  const folder = temporaryFolder();
  const [written, built] = [join(folder, 'page.html'), join(folder, 'built.html')];
  expect(await run(['ledger', 'page', '--out', written])).toMatchObject({ status: 0 });
  await buildPage(process.cwd(), built);
  expect(readFileSync(written).equals(readFileSync(built))).toBe(true);
  expect(await run(['ledger', 'page', '--out', written])).toMatchObject({ status: 2 });
});
