/**
 * The page over a bundle with a signature in every entry: it has to say how far it is and to let the browser draw.
 * `COUNTERSIGN_PAGE_ENTRIES=100000 npx vitest run test/ledger/page/speed.test.ts` measures a large one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildPage } from '../../../cli/bootstrap/page.js';
import { DerivedFiles } from '../../../ledger/export/derived.ts';
import { readLine } from '../../../ledger/export/line.ts';
import { VERIFY_NOTE } from '../../../ledger/export/verify-note.ts';
import { writeBundle } from '../../bench/verify-bundle.ts';
import { deriveFiles, type Parts } from '../../bench/verify-derived.ts';
import { BrowserPage, findChromium } from '../../support/chromium.ts';

const chromium = findChromium();
const ENTRIES = Number(process.env['COUNTERSIGN_PAGE_ENTRIES'] ?? 3000);
/** Far more than a turn takes: other work shares the machine. */
const MAX_FREEZE_MS = 3000;

interface Measured {
  readonly seconds: number;
  readonly freezeMs: number;
  readonly shown: readonly string[];
  readonly report: string;
}

/** Presses the button, and looks every 20 ms at what is shown. */
const MEASURE = `new Promise((done) => {
  const [button, report] = ['verify', 'report'].map((id) => document.getElementById(id));
  const shown = new Set();
  let [started, freezeMs] = [performance.now(), 0];
  let last = started;
  const timer = setInterval(() => {
    const now = performance.now();
    [freezeMs, last] = [Math.max(freezeMs, now - last), now];
    shown.add(report.textContent.slice(0, 60));
  }, 20);
  new MutationObserver(() => {
    if (button.disabled) return;
    clearInterval(timer);
    done({ seconds: (performance.now() - started) / 1000, freezeMs, shown: [...shown], report: report.textContent });
  }).observe(button, { attributes: true });
  button.click();
})`;

test.skipIf(chromium === null)(
  'the page says how far it is, and does not freeze',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'page-speed-'));
    const [dir, file] = [join(root, 'bundle'), join(root, 'verifier.html')];
    await writeBundle(dir, { headers: 3, bodies: ENTRIES, signed: true });
    await deriveFiles({ DerivedFiles, readLine, VERIFY_NOTE } as unknown as Parts, dir);
    await buildPage(process.cwd(), file);
    const page = await BrowserPage.open(chromium ?? '', file);
    await page.choose('#folder', dir);
    const { seconds, freezeMs, shown, report } = (await page.evaluate(MEASURE)) as Measured;
    await page.close();
    rmSync(root, { recursive: true });
    process.stdout.write(
      `page: ${String(ENTRIES)} signed entries in ${seconds.toFixed(1)} s, ${String(Math.round(ENTRIES / seconds))} entries/s, longest freeze ${String(Math.round(freezeMs))} ms\n`,
    );
    expect(report).toContain('UNANCHORED: consistent');
    expect(report).toContain("  - 3 entries carry no writer's signature");
    expect(shown.filter((text) => text.startsWith('Checking… ')).length).toBeGreaterThan(2);
    expect(freezeMs).toBeLessThan(MAX_FREEZE_MS);
  },
  600_000,
);
