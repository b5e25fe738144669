// First: the sources behind it use Buffer when they are loaded.
import '../install-buffer.ts';
import { LedgerError } from '../../error.ts';
import { verifyBundle } from '../../verify/bundle.ts';
import type { VerifyReport } from '../../verify/report.ts';
import { reportText } from '../../verify/text.ts';
import { readTrust } from '../../verify/trust.ts';
import type { ReaderTrust } from '../../verify/trust.ts';
import { findVerifyMany } from './many-signatures.ts';
import { openPicked } from './picked-files.ts';

/** The page: folder and the reader's files in, report out. Everything shown is set as text, never as markup. */
const button = element('verify', HTMLButtonElement);
button.addEventListener('click', () => {
  button.disabled = true;
  show('', 'Checking…', '');
  run()
    .then(({ verdict, text, json }) => {
      show(verdict, text, json);
    })
    .catch((error: unknown) => {
      show('', error instanceof Error ? error.message : 'It could not be checked.', '');
    })
    .finally(() => {
      button.disabled = false;
    });
});
element('json-switch', HTMLInputElement).addEventListener('change', ({ target }) => {
  element('json', HTMLPreElement).hidden = !(target instanceof HTMLInputElement && target.checked);
});

async function run(): Promise<{ readonly verdict: string; readonly text: string; readonly json: string }> {
  const picked = element('folder', HTMLInputElement).files;
  if (picked === null || picked.length === 0) throw new TypeError('Choose the folder of an export first.');
  let trust: ReaderTrust;
  try {
    trust = readTrust({
      policy: await textIn('policy'),
      certificates: await textIn('certificates'),
      checkpoints: await textIn('checkpoints'),
      receipts: await textIn('receipts'),
    });
  } catch (error) {
    if (error instanceof LedgerError) throw new TypeError(`A file of yours: ${error.message}.`, { cause: error });
    throw error;
  }
  const at = element('at', HTMLInputElement).valueAsNumber;
  const verifyMany = await findVerifyMany();
  const wish = {
    at: Number.isSafeInteger(at) && at >= 0 ? at : null,
    pause,
    ...(verifyMany === undefined ? {} : { verifyMany }),
  };
  const report: VerifyReport = await verifyBundle(openPicked(picked, turn), trust, wish);
  return { verdict: report.verdict, text: reportText(report), json: JSON.stringify(report, null, 2) };
}

const TURN_MS = 50;
let turnEndsMs = 0;

/** Lets the browser draw and answer: a page that does not is ended. */
async function turn(): Promise<void> {
  if (performance.now() < turnEndsMs) return;
  await new Promise((resolve) => setTimeout(resolve));
  turnEndsMs = performance.now() + TURN_MS;
}

function pause(entries: number): Promise<void> {
  element('report', HTMLPreElement).textContent = `Checking… ${entries.toLocaleString('en')} entries`;
  return turn();
}

async function textIn(id: string): Promise<string | null> {
  const file = element(id, HTMLInputElement).files?.[0];
  if (file === undefined) return null;
  return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
}

function show(verdict: string, text: string, json: string): void {
  document.body.dataset['verdict'] = verdict;
  element('report', HTMLPreElement).textContent = text;
  element('json', HTMLPreElement).textContent = json;
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new TypeError(`expected an element ${id}, found none`);
}
