/** Disguised numbers of the recorded Unicode cases: those the strict profile knows are found in every disguise. */
import { expect, test } from 'vitest';
import { createAnalyzer } from '../../redaction/index.ts';
import { NATIONAL } from '../../redaction/recognizers/national.ts';
import { readRows } from './presidio/rows.ts';

const analyzer = createAnalyzer();
const KNOWN = new Set([...NATIONAL.map(({ entity }) => entity), 'IBAN_CODE']);
/** Of these only the form with separators is known. */
const BARE =
  /^(?:SE_PERSONNUMMER|SE_ORGANISATIONSNUMMER|KR_RRN|KR_BRN|KR_DRIVER_LICENSE|AU_MEDICARE|IN_AADHAAR) [^-+]*$/;
const SEPARATED = /\p{Nd}[- ]\p{Nd}/u;

test('every disguise of a number that is right', () => {
  const rows = readRows('observed_unicode.jsonl');
  const isRight = new Set(
    rows.filter(({ observed }) => JSON.stringify(observed).includes('"score":1')).map(({ id }) => id.split('~')[0]),
  );
  const known = rows.filter(({ id, entity }) => isRight.has(id.split('~')[0] ?? '') && KNOWN.has(entity ?? ''));
  const missed = known.filter(
    ({ text, entity }) =>
      (SEPARATED.test(text) || !BARE.test(`${entity ?? ''} ${text}`)) && analyzer.analyze(text).length === 0,
  );
  process.stdout.write(
    `${String(known.length)} disguises of known numbers, of ${String(rows.filter(({ id }) => isRight.has(id.split('~')[0] ?? '')).length)} right ones\n`,
  );
  expect(known.length).toBeGreaterThan(100);
  expect(missed.map(({ id, text }) => ({ id, text }))).toEqual([]);
});
