/**
 * Numbers that states give to people and companies, in the strict profile: the forms and checks of the Presidio profile in
 * the language of this one. Only such are here that prove themselves, by letters, a date or several check digits: bare digits
 * with one check digit are right by chance too often.
 */
import { COMMONWEALTH } from '../presidio/recognizers/commonwealth.ts';
import { GERMANY } from '../presidio/recognizers/germany.ts';
import { INDIA } from '../presidio/recognizers/india.ts';
import { ITALY } from '../presidio/recognizers/italy.ts';
import { KOREA } from '../presidio/recognizers/korea.ts';
import { NORDIC } from '../presidio/recognizers/nordic.ts';
import { SOUTH_EAST_ASIA } from '../presidio/recognizers/south-east-asia.ts';
import { SPAIN_AND_POLAND } from '../presidio/recognizers/spain-poland.ts';
import { TURKEY } from '../presidio/recognizers/turkey.ts';
import { UNITED_KINGDOM } from '../presidio/recognizers/united-kingdom.ts';
import { UNITED_STATES } from '../presidio/recognizers/united-states.ts';
import { translate } from '../presidio/expression.ts';
import type { PresidioRecognizer } from '../presidio/recognizer.ts';
import { parsePattern } from '../pattern.ts';
import { WORD } from './recognizer.ts';
import type { Recognizer, Verdict } from './recognizer.ts';

interface Proving {
  /** How every match begins; short, because the states of all recognizers' gates multiply. */
  readonly gate: string;
  /** An example that its check proves, where the usual one is not right. */
  readonly example?: string;
}

const SIX_DIGITS = '[0-9]{6}';
const PROVING: ReadonlyMap<string, Proving> = new Map<string, Proving>([
  ['MEDICAL_LICENSE', { gate: '[A-Za-z][A-Za-z9][0-9]{4}' }],
  ['UK_NINO', { gate: '[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]' }],
  ['UK_VEHICLE_REGISTRATION', { gate: '[A-Za-z]{2}[0-9]{2}[ \\-]?[A-Za-z]', example: 'AB51 ABC' }],
  ['IN_VEHICLE_REGISTRATION', { gate: '[A-Za-z]{2}[0-9]{1,2}[A-Za-z]' }],
  ['IT_FISCAL_CODE', { gate: '[A-Za-z]{6}[0-9]{2}[A-Za-z]' }],
  ['ES_NIF', { gate: SIX_DIGITS }],
  ['ES_NIE', { gate: '[A-Za-z][0-9]{4}' }],
  ['PL_PESEL', { gate: SIX_DIGITS }],
  ['ZA_ID_NUMBER', { gate: SIX_DIGITS }],
  ['AU_ABN', { gate: '[0-9]{2} ?[0-9]{3} ?[0-9]{3}' }],
  ['AU_MEDICARE', { gate: '[0-9]{4} [0-9]{2}' }],
  ['IN_AADHAAR', { gate: '[0-9]{4}[ :\\-][0-9]{2}', example: '3123 4567 8909' }],
  ['DE_SOCIAL_SECURITY', { gate: '[0-9]{2} ?[0-9]{6}' }],
  ['DE_HEALTH_INSURANCE', { gate: '[A-Za-z][0-9]{4}' }],
  ['DE_VAT_ID', { gate: '[Dd][Ee][ .\\-]?[0-9]', example: 'DE136695976' }],
  ['FI_PERSONAL_IDENTITY_CODE', { gate: SIX_DIGITS }],
  ['SE_PERSONNUMMER', { gate: SIX_DIGITS }],
  ['SE_ORGANISATIONSNUMMER', { gate: SIX_DIGITS }],
  ['KR_RRN', { gate: SIX_DIGITS, example: '960121-1234561' }],
  ['KR_BRN', { gate: '[0-9]{3}-[0-9]{2}' }],
  ['KR_DRIVER_LICENSE', { gate: '[0-9]{2}[ \\-]?[0-9]{2}[ \\-]?[0-9]{2}' }],
  ['TR_NATIONAL_ID', { gate: SIX_DIGITS }],
  ['SG_UEN', { gate: `(?:${SIX_DIGITS}|[TSRtsr][0-9]{2}[A-Za-z])` }],
]);
/** Bare, these could be any number, a time in milliseconds too; grouped as their country groups them they are not. */
const GROUPED: ReadonlySet<string> = new Set(
  'SE_PERSONNUMMER SE_ORGANISATIONSNUMMER KR_RRN KR_BRN KR_DRIVER_LICENSE AU_MEDICARE IN_AADHAAR'.split(' '),
);
/** Their form alone is proof enough. */
const BY_FORM: ReadonlySet<string> = new Set(['UK_NINO']);
const PROVEN = 900;

const SOURCES = [
  ...UNITED_STATES,
  ...UNITED_KINGDOM,
  ...ITALY,
  ...SPAIN_AND_POLAND,
  ...COMMONWEALTH,
  ...INDIA,
  ...SOUTH_EAST_ASIA,
  ...GERMANY,
  ...NORDIC,
  ...KOREA,
  ...TURKEY,
];

export const NATIONAL: readonly Recognizer[] = SOURCES.filter(({ entity }) => PROVING.has(entity)).map(strictly);

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
    gate: PROVING.get(source.entity)?.gate ?? pattern,
    pattern: `(?:${pattern})`,
    notBefore: WORD,
    notAfter: WORD,
    score: PROVEN,
    context: [],
    verify: verifier(source),
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

function verifier(source: PresidioRecognizer): (candidate: string) => Verdict | null {
  // What is found must not depend on what else a window holds, so the gate belongs to the form.
  const gate = new RegExp(`^${PROVING.get(source.entity)?.gate ?? ''}`);
  const forms = source.patterns.map(({ expression }) => new RegExp(`^(?:${translate(expression)})$`, 'iu'));
  return (candidate) => {
    if (!gate.test(candidate) || (GROUPED.has(source.entity) && !/[^0-9]/.test(candidate))) return null;
    const isProven = BY_FORM.has(source.entity) || source.validate?.(candidate) === true;
    const isOfForm = isProven && forms.some((form) => form.test(candidate));
    return isOfForm ? { length: candidate.length, score: PROVEN } : null;
  };
}
