/**
 * Texts that keep a recognizer busy without ever being what it looks for: for every recognizer its keywords, the beginnings
 * of its example and forms of its pattern that end one character wrong; digits in every grouping; every disguise, escape
 * and encoding of them; noise. From a fixed seed, so that a text that was slow once is made again.
 */

import { createRandom, sample } from './pattern-sample.ts';

/** What is needed of a recognizer. */
export interface HostileSource {
  readonly needsContext?: boolean;
  readonly id: string;
  readonly keywords: readonly string[];
  readonly context: readonly string[];
  readonly head?: string;
  readonly pattern: string;
  readonly example: string;
}

/** `name` says how to make it again. */
export interface HostileText {
  readonly name: string;
  readonly make: (length: number) => string;
}

/** `isClean` says of a short text that nothing is found in it. */
export function hostileTexts(recognizers: readonly HostileSource[], isClean: (text: string) => boolean): HostileText[] {
  const units = new Set<string>();
  for (const recognizer of recognizers) for (const unit of unitsOf(recognizer)) units.add(unit);
  for (const unit of [
    ...digitUnits(),
    ...letterUnits(),
    ...encodedUnits(),
    ...valueUnits(),
    ...namedUnits(recognizers),
  ])
    units.add(unit);
  return [
    ...[...units].map(repeated),
    ...NOISE.map(noise),
    ...ALTERED.map(altered),
    ...sparse(SPARSE_UNITS, [1, 20, 100]),
    ...sparse(recognizers.map(nearMiss), [1, 4]),
    ...recognizers.flatMap((recognizer) => different(recognizer, isClean)),
  ];
}

function repeated(unit: string): HostileText {
  return {
    name: `${JSON.stringify(unit)} over and over`,
    make: (length) => flat(unit.repeat(Math.ceil(length / unit.length))),
  };
}

/** One flat string, as a body that was read has. */
function flat(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

const ENDS = ['', ' ', '-', '.', ':', '\n', '_'];

function unitsOf({ keywords, context, head, pattern, example }: HostileSource): string[] {
  const random = createRandom(7);
  const units: string[] = [];
  for (const keyword of keywords)
    units.push(...ENDS.map((end) => keyword + end), `${keyword}1`, `${keyword}1:`, `${keyword}=1`, `${keyword}: a1 `);
  for (const word of context.slice(0, 4)) units.push(`${word} 12 `, `${word} 123456789 0 `, `${word} `);
  for (const share of [0.2, 0.4, 0.6, 0.8]) units.push(example.slice(0, Math.ceil(example.length * share)));
  const near = [example.slice(0, -1)];
  for (const fill of [0, 0.5, 1])
    near.push(sample(head ?? '', fill, random) + sample(pattern, fill, random), sample(pattern, fill, random));
  for (const one of near)
    units.push(...ENDS.map((end) => one + end), `a${one}a `, one.slice(0, -1), `${one.slice(0, -1)}_ `);
  return units.filter((unit) => unit.trim() !== '');
}

const GROUPS = [
  '1',
  '4',
  '0',
  '11',
  '12',
  '536',
  '4111',
  '0123',
  '2131',
  '99999',
  '123456',
  '1234567',
  '960121',
  '1234567890123',
];
const BETWEEN = [
  '',
  ' ',
  '-',
  '.',
  '/',
  '(',
  ')',
  ':',
  ',',
  '+',
  '_',
  '\n',
  '  ',
  '--',
  ' - ',
  ') ',
  '. ',
  '\u00a0',
  '\u2010',
  '@',
  '#',
  'a',
  'A',
  ' a',
];

function digitUnits(): string[] {
  return GROUPS.flatMap((group) => BETWEEN.map((between) => group + between)).concat(
    '536-22-', '+1111111 ', '+49 30 ', '(212) ', '0049 ', '1.1.1 ', '1.1.1.', '1:1:', 'f:f:', '::1 ', '1::', 'DE12 ', 'DE12', 'AB12CD',
  );
} // prettier-ignore

function letterUnits(): string[] {
  const heads = ['a', 'A', 'aA', 'a1', 'A1', 'Aa1', 'ab', 'zz', 'word', 'é', 'аb', '한', '😀'];
  const ends = ['', ' ', '-', '.', '@', '@a.', '@a.b ', '/', '://a:', '="', ':', '_', '+', '%', '\\', '&', '"'];
  return heads
    .flatMap((head) => ends.map((end) => head + end))
    .concat(' ', '\n', '-', '-----', '-----END ', '-----BEGIN ');
}

const HIDDEN = ['1', '4111', '1111-', '12 ', '4111 4111 4111 ', 'a', 'word ', 'a@a.', 'eyJ', 'key=', 'DE12 '];
const each = (text: string, change: (code: number) => string): string =>
  Array.from(text, (char) => change(char.codePointAt(0) ?? 0)).join('');
const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0');

const DISGUISES: readonly ((text: string) => string)[] = [
  (text) => each(text, (code) => `${String.fromCodePoint(code)}\u200b`),
  (text) => each(text, (code) => `${String.fromCodePoint(code)}\u0301`),
  (text) => each(text, (code) => `${String.fromCodePoint(code)}\u00ad\ufe0f`),
  (text) => each(text, (code) => (code > 32 ? String.fromCharCode(code + 0xfee0) : ' ')),
  (text) => text.replace(/[0-9]/g, (digit) => String.fromCharCode(0x660 + Number(digit))),
  (text) => text.replace(/[0-9]/g, (digit) => String.fromCodePoint(0x1d7ce + Number(digit))),
  (text) => text.replaceAll(' ', '\u00a0').replaceAll('-', '\u2212'),
  (text) => text.replaceAll('a', 'а').replaceAll('e', 'е').replaceAll('o', 'ο'),
  (text) => `${text}а`,
  (text) => `${text}\u200b`,
  (text) => each(text, (code) => `%${hex(code, 2)}`),
  (text) => each(text, (code) => `%25${hex(code, 2)}`),
  (text) => each(text, (code) => `\\u${hex(code, 4)}`),
  (text) => each(text, (code) => `\\x${hex(code, 2)}`),
  (text) => each(text, (code) => `&#${String(code)};`),
  (text) => each(text, (code) => `&#x${hex(code, 2)};`),
  (text) => Buffer.from(text.repeat(12)).toString('base64').replaceAll('=', ''),
  (text) => `${Buffer.from(text.repeat(12)).toString('base64url')} `,
  (text) =>
    Buffer.from(Buffer.from(text.repeat(24)).toString('base64'))
      .toString('base64')
      .replaceAll('=', ''),
  (text) => each(Buffer.from(text.repeat(12)).toString('base64'), (code) => `%${hex(code, 2)}`),
  (text) => `${Buffer.from(each(text.repeat(6), (code) => `%${hex(code, 2)}`)).toString('base64')}\n`,
];

function encodedUnits(): string[] {
  return HIDDEN.flatMap((text) => DISGUISES.map((disguise) => disguise(text))).concat(
    '%', '%2', '%3', '%c3', '%e2%80', '%f0%9f%98', '\\', '\\u', '\\u00', '\\x', '\\x3', '&', '&#', '&#5', '&#x', '&am', '&amp;', '\u200b', '\u0301',
    '\ud83d', 'AAAA', 'zzzz', 'YWFh', 'YWFhYWFhYWFhYWFh!', 'YWFhYWFhYWFhYWF', 'YWFhYWFhYWFhYWFh\n', 'YWFhYWFhYWFhYWFh\r\n', 'YWFhYWFhYWFhYWFh=', '\u200bYWFh',
    '4Pz8', 'w6nDqcOp', '8J+YgPCfmIA', '〇', '①', '㍿', 'ﷺ', '\ufdfa1', '１ ', '٤-',
  );
} // prettier-ignore

const NOISE = [
  '0123456789', '0123456789 ', '0123456789-', '0123456789 -', '0123456789.-', '0123456789 -.()+:/@=%_', '01 -', '4 ', '01.', '0123456789abcdef:', '0123456789abcdef:. ',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ', 'ABCDEFGHIJabcdefghij0123456789+/=', 'ABab01', 'ABab01 -', 'AB01 -', 'abc@. ', 'abc.@-',
  'sk-ghp_AKIAeyJ:/@.- 01', 'keytokensecretpassword=: "1a', '0123456789\u200b', '0123456789 \u200b', '01 -\u200bа', '012а ', 'абвгдежзиклмнопрст 01', '%0123456789', '%34\\u0&#;x', 'YWFhMTEx', '１２３４５ -',
  'aа1 \u200b%3-', '\\u0034 ', '-----BEGINPRIVATE KEY', '()+- 0123456789', '漢字仮名交じり文0123', ' \n\t0',
]; // prettier-ignore

function noise(alphabet: string): HostileText {
  const characters = Array.from(alphabet);
  return {
    name: `noise of ${JSON.stringify(alphabet)}`,
    make(length) {
      const random = createRandom(20_263);
      return flat(Array.from({ length }, () => characters[random(characters.length)] ?? '').join('')).slice(0, length);
    },
  };
}

/** Digits in the groups of real numbers, each different, so that nothing that was worked out serves a second time. */
const ALTERED = [
  '####-', '####', '####-####-####-#### ', '#### #### #### #### ', '###-##-', '###-##-#### ', '(###) ###-', '+## ### ', '+# ### ### ', '0## ### ', '## ', '##-', '# ', '##########',
  '############ ', '######-#### ', '######-####### ', '###.###.', '##.##.##.', '#:#:#:', 'DE## #### ', 'DE##', 'AB######C ', 'A######## ', '######## A ', '##/##/#### ', '####-##-## ', '##:##:## ',
  '###-##-##### ', '####### ####### ', '####\u200b', '#\u200b', '####-а', '%3#', '\\u003#', '&#5#;', '№#### ', '#.', '#-', '#,', '##.', '### ', '##### ', 'ab##', 'ab## ', 'AB## ABC ',
]; // prettier-ignore

function altered(form: string): HostileText {
  return {
    name: `${JSON.stringify(form)} with digits`,
    make(length) {
      const random = createRandom(20_269);
      return flat(form.repeat(Math.ceil(length / form.length)).replace(/#/g, () => String(random(10)))).slice(
        0,
        length,
      );
    },
  };
}

const SPARSE_UNITS = ['1111-', '4111 411 ', '1 ', '12-', '960121-'];

/** Units that differ between readings in a few places only. */
function sparse(units: readonly string[], distances: readonly number[]): HostileText[] {
  return units.flatMap((unit) =>
    ['%34', '\u200b', 'а', 'а\u200b%41', 'é'].flatMap((sign) =>
      distances.map((every) => ({
        name: `${JSON.stringify(sign)} behind ${String(every)} of ${JSON.stringify(unit)}`,
        make: (length: number) => repeated(unit.repeat(every) + sign).make(length),
      })),
    ),
  );
}

function nearMiss({ example }: HostileSource): string {
  return `${example.slice(0, -1)}- `;
}

/** Near misses of one recognizer, no two alike: what was worked out for one serves no other. */
function different(source: HostileSource, isClean: (text: string) => boolean): HostileText[] {
  const { id, head, pattern, context, needsContext } = source;
  const word = needsContext === true ? `${context[0] ?? ''} ` : '';
  return [0, 0.1, 1].flatMap((fill) =>
    ['; ', '-; '].map((end) => ({
      name: `different near misses of ${id}, ${String(fill)} full, before ${JSON.stringify(end)}`,
      make(length: number) {
        const random = createRandom(20_287);
        let text = '';
        for (let tries = 0; text.length < length && tries < length; tries++) {
          const unit = word + sample(head ?? '', fill, random) + sample(pattern, fill, random) + end;
          if (isClean(`; ${unit}`)) text += unit;
        }
        return text === '' ? '' : repeated(text).make(length).slice(0, length);
      },
    })),
  );
}

/** Values behind names of secrets that reach over the next names, to an end that makes none of them count. */
function valueUnits(): string[] {
  return ['PWD1:', 'pwd=', 'key:', 'Token:1', 'api_key=x9'].flatMap((name) =>
    ['', 'k3', 'kJ3xq9Lm', '.', '\u200b'].flatMap((value) => [
      `${(name + value).repeat(14)}example `,
      `${(name + value).repeat(14)}xxxx `,
      `${(name + value).repeat(14)}${'.'.repeat(40)} `,
    ]),
  );
}

/** Numbers behind words that name several kinds of them. */
function namedUnits(recognizers: readonly HostileSource[]): string[] {
  const words = recognizers.flatMap(({ needsContext, context }) => (needsContext === true ? context.slice(0, 1) : []));
  const named = [words.slice(0, 4), words.slice(-4), ['tin', 'iva', 'nin', 'tel'], ['ssn', 'tfn', 'lanr', 'acn']];
  const numbers = [
    '123456789',
    '1234567890',
    '12345678901',
    '123456789012',
    '1234567890123',
    '123 456 788',
    '061 234 567',
  ];
  return named.flatMap((some) => numbers.map((number) => `${some.join(' ')} ${number} `));
}
