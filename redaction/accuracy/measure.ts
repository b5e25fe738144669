/** Precision and recall of both profiles on synthetic texts, and the page that says them. */
import { createAnalyzer } from '../analyze.ts';
import { createPresidioAnalyzer } from '../presidio/analyzer.ts';
import { createRandom, NEAR_MISSES, pick, VALUES } from './values.ts';
import type { Random, ValueKind } from './values.ts';

const SEED = 20_261;
const TEXTS_PER_KIND = 100;
const TEXTS_WITHOUT = 300;

interface Span {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

interface Sample {
  readonly text: string;
  /** Null: the text has no value. */
  readonly value: Span | null;
}

type Detector = (text: string) => readonly Span[];

const BEFORE = ['Please look at', 'The customer wrote', 'We have received', 'Noted on the file:', 'Answer to'] as const;
const AFTER = ['as agreed.', 'and call back.', 'before noon', '(see above).', ', thanks!'] as const;

/** Half of the texts name what they hold, as people do. */
function textWith({ entity, word, make }: ValueKind, random: Random): Sample {
  const head = `${pick(random, BEFORE)} ${random(2) === 0 ? `${word} ` : ''}`;
  const value = make(random);
  const text = `${head}${value} ${pick(random, AFTER)}`;
  return { text, value: { type: entity, start: head.length, end: head.length + value.length } };
}

function textWithout(random: Random): Sample {
  const near = NEAR_MISSES[random(NEAR_MISSES.length)]?.(random) ?? '';
  return { text: `${pick(random, BEFORE)} ${near} ${pick(random, AFTER)}`, value: null };
}

function samples(): readonly Sample[] {
  const random = createRandom(SEED);
  return [
    ...VALUES.flatMap((kind) => Array.from({ length: TEXTS_PER_KIND }, () => textWith(kind, random))),
    ...Array.from({ length: TEXTS_WITHOUT }, () => textWithout(random)),
  ];
}

interface Score {
  readonly precision: string;
  readonly recall: string;
}

/** A finding of the type that overlaps the value counts; every other finding of the type is wrong. */
function scoreOf(entity: string, found: readonly (readonly [Sample, readonly Span[]])[]): Score {
  let right = 0;
  let wrong = 0;
  for (const [{ value }, spans] of found) {
    const ofType = spans.filter(({ type }) => type === entity);
    const hits = ofType.filter(({ start, end }) => value?.type === entity && start < value.end && end > value.start);
    right += hits.length > 0 ? 1 : 0;
    wrong += ofType.length - hits.length;
  }
  if (right + wrong === 0) return { precision: '–', recall: '–' };
  return { precision: percent(right, right + wrong), recall: percent(right, TEXTS_PER_KIND) };
}

function percent(part: number, whole: number): string {
  return ((100 * part) / whole).toFixed(1);
}

/** The page `docs/accuracy.md`; a few seconds. */
export function accuracyPage(): string {
  const texts = samples();
  const measured = [presidioDetector(), strictDetector()].map((detect) => {
    const found = texts.map((sample) => [sample, detect(sample.text)] as const);
    return VALUES.map(({ entity }) => scoreOf(entity, found));
  });
  const [presidio = [], strict = []] = measured;
  const rows = VALUES.map(({ entity }, at) => {
    const cells = [presidio[at], strict[at]].flatMap((score) => [score?.precision ?? '', score?.recall ?? '']);
    return `| \`${entity}\` | ${cells.join(' | ')} |`;
  });
  return PAGE.replace('ROWS', rows.join('\n'));
}

/** As a caller gets it who sets no threshold. */
function presidioDetector(): Detector {
  const analyzer = createPresidioAnalyzer({ recognizers: 'default' });
  return (text) =>
    analyzer.analyze({ text, language: 'en' }).map(({ entity_type: type, start, end }) => ({ type, start, end }));
}

function strictDetector(): Detector {
  const analyzer = createAnalyzer();
  return (text) => analyzer.analyze(text);
}

const PAGE = `# How accurate the recognizers are

Made by \`npm run docs\` from a seeded generator (\`redaction/accuracy/\`), not by hand. Each kind of value stands in
${String(TEXTS_PER_KIND)} sentences, in half of them behind a word that names it; ${String(TEXTS_WITHOUT)} more sentences hold what only looks like
a value: order numbers, dates, amounts, versions, digests, UUIDs, times. A value counts as found when a finding of its type
overlaps it; every other finding of the type, in any of the texts, is wrong. Figures are percent; – stands where the profile does not know
the type. The Presidio profile is measured without a threshold, as its service answers by default.

| type | presidio: precision | recall | strict: precision | recall |
| --- | ---: | ---: | ---: | ---: |
ROWS

## What the figures do not say

- Synthetic sentences are easier than letters, logs and forms. The figures show regressions and the difference between the
  profiles; they promise nothing about your texts.
- Names, places, organisations and postal addresses have no form. Neither profile finds them; a remote analyzer
  ([presidio.md](presidio.md)) can, and each entry of the ledger says whether one ran.
- The strict profile finds bare digits with one check digit, or none, only beside a word that names them, or not at all:
  of ten random numbers one has a right check digit. Of national numbers it knows those that prove themselves
  by letters, a date or several check digits.
- A wrong finding of one type may lie on a value of another: NHS numbers are written as American telephone numbers are.
- Context words are those of the recognizer's own language, whole words in the strict profile and parts of words in
  Presidio's.
- Pictures, sound and remote files are not read; they are refused unless the tenant's policy allows them.
`;
