/**
 * Numbers that states give to people and companies, in the strict profile: the forms and checks of the Presidio profile in
 * the language of this one. Only such are here that prove themselves, by letters, a date or several check digits: bare digits
 * with one check digit are right by chance too often.
 */
import { isVerhoeff } from '../presidio/digits.ts';
import { translate } from '../presidio/expression.ts';
import { RECOGNIZERS } from '../presidio/registry.ts';
import type { PresidioRecognizer } from '../presidio/recognizer.ts';
import { parsePattern } from '../pattern.ts';
import { WORD } from './recognizer.ts';
import type { Recognizer, Verdict } from './recognizer.ts';

interface Proving {
  /** How a form begins that proves itself, where the others of its type do not. */
  readonly opening?: RegExp;
  /** An example that its check proves, where the usual one is not right. */
  readonly example?: string;
}

const PROVING: ReadonlyMap<string, Proving> = new Map<string, Proving>([
  ['MEDICAL_LICENSE', {}],
  ['UK_NINO', {}],
  ['UK_VEHICLE_REGISTRATION', { opening: /^[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z]/, example: 'AB51 ABC' }],
  ['IN_VEHICLE_REGISTRATION', { opening: /^[A-Za-z]{2}[0-9]{1,2}[A-Za-z]/ }],
  ['IT_FISCAL_CODE', {}],
  ['ES_NIF', {}],
  ['ES_NIE', {}],
  ['PL_PESEL', {}],
  ['ZA_ID_NUMBER', {}],
  ['AU_ABN', {}],
  ['AU_MEDICARE', {}],
  ['IN_AADHAAR', { example: '3123 4567 8909' }],
  ['DE_SOCIAL_SECURITY', {}],
  ['DE_HEALTH_INSURANCE', {}],
  ['DE_VAT_ID', { example: 'DE136695976' }],
  ['FI_PERSONAL_IDENTITY_CODE', {}],
  ['SE_PERSONNUMMER', {}],
  ['SE_ORGANISATIONSNUMMER', {}],
  ['KR_RRN', { example: '960121-1234561' }],
  ['KR_BRN', {}],
  ['KR_DRIVER_LICENSE', {}],
  ['TR_NATIONAL_ID', {}],
  ['SG_UEN', {}],
  ['CRYPTO', {}],
  ['IN_GSTIN', {}],
  ['DE_ID_CARD', {}],
  ['DE_PASSPORT', {}],
]);
/** Bare, these could be any number, a time in milliseconds too; grouped as their country groups them they are not. */
const GROUPED: ReadonlySet<string> = new Set(
  'SE_PERSONNUMMER SE_ORGANISATIONSNUMMER KR_RRN KR_BRN KR_DRIVER_LICENSE AU_MEDICARE'.split(' '),
);
/** In groups only, see `GROUPED`; it begins with 2 to 9. */
const AADHAAR = '[2-9][0-9]{3}[- :][0-9]{4}[- :][0-9]{4}';
/** Their form alone is proof enough. */
const BY_FORM: ReadonlySet<string> = new Set(['UK_NINO']);
const PROVEN = 900;
/** With the word that stands before it, which adds 350. */
const NAMED_SCORE = 550;

/** Digits with one check digit, bare or in groups that telephone numbers have too, count where one of these words stands before them; an example that is right. */
const NAMED: ReadonlyMap<string, readonly [words: string, example: string]> = new Map<
  string,
  readonly [string, string]
>([
  ['AU_ACN', ['acn', 'ACN 005499981']],
  ['AU_TFN', ['tfn tax', 'TFN 876543210']],
  ['UK_NHS', ['nhs', 'NHS 4010232137']],
  [
    'DE_TAX_ID',
    ['steuer steuerid idnr tin identifikationsnummer steueridentifikationsnummer', 'Steuer-ID 12345678903'],
  ],
  ['DE_LANR', ['lanr arztnummer', 'LANR 123456601']],
  ['IT_VAT_CODE', ['iva piva vat', 'P. IVA 01333550323']],
  ['NG_NIN', ['nin', 'NIN 98765432102']],
  ['TH_TNIN', ['tnin thai', 'TNIN 2345678901234']],
  ['US_NPI', ['npi provider', 'NPI 1003000126']],
]);

export const NATIONAL: readonly Recognizer[] = [
  ...RECOGNIZERS.filter(({ entity }) => PROVING.has(entity)).map(strictly),
  ...RECOGNIZERS.filter(({ entity }) => NAMED.has(entity)).map(named),
];

function named(source: PresidioRecognizer): Recognizer {
  const [words, example] = NAMED.get(source.entity) ?? ['', ''];
  const { rejects: _, ...strict } = strictly(source);
  return {
    ...strict,
    // Presidio's form of it may end with a blank.
    ...(source.entity === 'IT_VAT_CODE' ? { pattern: '[0-9]{11}' } : {}),
    id: `${strict.id}_named`,
    score: NAMED_SCORE,
    context: words.split(' '),
    needsContext: true,
    verify: verifier(source, NAMED_SCORE),
    example,
  };
}

function strictly(source: PresidioRecognizer): Recognizer {
  const pattern = source.patterns
    .map(({ expression }) => plainPattern(expression))
    .toSorted((a, b) => parsePattern(b).maxLength - parsePattern(a).maxLength)
    .join('|');
  return {
    id: source.entity.toLowerCase(),
    version: 1,
    entity: source.entity,
    kind: 'pii',
    keywords: [],
    pattern: source.entity === 'IN_AADHAAR' ? AADHAAR : `(?:${pattern})`,
    notBefore: WORD,
    notAfter: WORD,
    score: PROVEN,
    context: [],
    ...(source.entity === 'IN_AADHAAR'
      ? { rejects: isNoAadhaar }
      : GROUPED.has(source.entity)
        ? { rejects: isBare }
        : {}),
    verify: verifier(source, PROVEN),
    example: PROVING.get(source.entity)?.example ?? source.example,
    source: source.source,
  };
}

/** Letters of either case, ASCII digits and spaces; without what is looked for around a match. */
function plainPattern(expression: string): string {
  const bare = expression
    .replace(/\(\?<?!(?:\[(?:\\.|[^\]])*\]|[^()[\]])*\)/g, '')
    .replace(/\\[<>b]/g, '')
    .replace(/^ \?/, '');
  let inClass = false;
  return bare.replace(/\\(.)|\{[0-9,]+\}|[A-Za-z]-[A-Za-z]|[^]/gu, (token, escaped: string | undefined) => {
    if (token === '[' || token === ']') inClass = token === '[';
    if (escaped === 'd') return inClass ? '0-9' : '[0-9]';
    if (escaped === 's') return ' ';
    if (escaped !== undefined || token.startsWith('{') || !/^\p{L}/u.test(token)) return token;
    return both(token, inClass);
  });
}

function both(letters: string, inClass: boolean): string {
  const either = letters.toUpperCase() + letters.toLowerCase();
  return inClass ? either : `[${either}]`;
}

function verifier(source: PresidioRecognizer, score: number): (candidate: string) => Verdict | null {
  const opening = PROVING.get(source.entity)?.opening;
  const isByForm = BY_FORM.has(source.entity);
  const forms = source.patterns.map(({ expression }) => new RegExp(`^(?:${translate(expression)})$`, 'iu'));
  return (candidate) => {
    if (!isByForm && source.validate?.(candidate) !== true) return null;
    const isOfForm = opening?.test(candidate) !== false && forms.some((form) => form.test(candidate));
    return isOfForm ? { length: candidate.length, score } : null;
  };
}

/** The digits of the candidate at hand. */
const twelve = new Uint8Array(12);

function isNoAadhaar(text: string, start: number, end: number): boolean {
  let size = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code >= 48 && code <= 57) twelve[size++] = code - 48;
  }
  return !isVerhoeff(twelve);
}

/** Nothing but digits. */
function isBare(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code < 48 || code > 57) return false;
  }
  return true;
}
