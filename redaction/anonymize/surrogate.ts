/**
 * Values that look like the original and belong to nobody: made from a keyed hash, so that equal values get equal
 * surrogates under one key, and only within ranges that are set aside for examples. Types without such a range get a
 * placeholder instead of somebody else's number.
 */
import { createHmac } from 'node:crypto';
import { normalise } from '../tokens.ts';

/** Numbers below a bound, drawn from a keyed hash of the value. */
interface Draw {
  below(bound: number): number;
  letters(count: number): string;
}

type Maker = (text: string, draw: Draw) => string;

/** The surrogate of a value. Never equal to it. @param key at least 16 bytes */
export function surrogateFor(type: string, text: string, key: Uint8Array): string {
  const make = MAKERS.get(type);
  // The original may itself be an example value; then the next draw is taken.
  for (let attempt = 0; make !== undefined && attempt < 8; attempt += 1) {
    const made = make(text, drawFrom(key, `${type}\0${normalise(type, text)}\0${String(attempt)}`));
    if (made !== text) return made;
  }
  return `<${type}_${drawFrom(key, `${type}\0${normalise(type, text)}`).letters(8)}>`;
}

/** HMAC-SHA-256 in counter mode; 48 bits a number, so that the remainder is as good as even. */
function drawFrom(key: Uint8Array, seed: string): Draw {
  let block = Buffer.alloc(0);
  let at = 0;
  let counter = 0;
  const below = (bound: number): number => {
    if (at + 6 > block.length) {
      block = createHmac('sha256', key)
        .update(`surrogate\0${String(counter)}\0${seed}`)
        .digest();
      counter += 1;
      at = 0;
    }
    at += 6;
    return block.readUIntBE(at - 6, 6) % bound;
  };
  const letters = (count: number): string =>
    Array.from({ length: count }, () => String.fromCharCode(97 + below(26))).join('');
  return { below, letters };
}

/** RFC 2606. */
const EXAMPLE_DOMAINS = ['example.com', 'example.net', 'example.org'] as const;

const email: Maker = (_text, draw) => `${draw.letters(8)}@${EXAMPLE_DOMAINS[draw.below(3)] ?? 'example.com'}`;

const url: Maker = (text, draw) => {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? '';
  const path = /[^/:]\//.test(text) ? `/${draw.letters(8)}` : '';
  return `${scheme}${draw.letters(6)}.${EXAMPLE_DOMAINS[draw.below(3)] ?? 'example.com'}${path}`;
};

/** RFC 5737 and RFC 3849. */
const ip: Maker = (text, draw) => {
  if (text.includes(':')) {
    const groups = Array.from({ length: 6 }, () => draw.below(65_536).toString(16));
    return `2001:db8:${groups.join(':')}`;
  }
  const network = ['192.0.2', '198.51.100', '203.0.113'][draw.below(3)] ?? '192.0.2';
  return `${network}.${String(1 + draw.below(254))}`;
};

/** RFC 7042, 2.1.2: 00-00-5E-00-53-00 to -FF. */
const mac: Maker = (text, draw) => {
  const last = draw.below(256).toString(16).padStart(2, '0').toUpperCase();
  const digits = `00005E0053${last}`;
  const separator = /[^0-9A-Fa-f]/.exec(text)?.[0] ?? '';
  const size = separator === '.' ? 4 : 2;
  const shown = /[a-f]/.test(text) ? digits.toLowerCase() : digits;
  return separator === '' ? shown : (shown.match(new RegExp(`.{${String(size)}}`, 'g')) ?? []).join(separator);
};

/** Ofcom's numbers for drama, else 555-0100 to 555-0199 of the North American plan. */
const phone: Maker = (text, draw) => {
  if (/^(?:\+|00)44/.test(text)) return `+44 7700 900${pad(draw.below(1000), 3)}`;
  const digits = text.replace(/\D/g, '');
  const area = `${String(2 + draw.below(8))}${pad(draw.below(100), 2)}`;
  const national = `${area.endsWith('11') ? '212' : area}55501${pad(draw.below(100), 2)}`;
  const isAbroad = /^(?:\+(?!1)|00)/.test(text);
  if (digits.length === 10 && !isAbroad) return fill(text, national);
  if (digits.length === 11 && digits.startsWith('1') && !isAbroad) return fill(text, `1${national}`);
  return `+1 ${national.slice(0, 3)}-${national.slice(3, 6)}-${national.slice(6)}`;
};

/** Area numbers from 900 are never issued; below group 50 they are no taxpayer numbers either. */
const ssn: Maker = (text, draw) =>
  fill(text, `9${pad(draw.below(100), 2)}${pad(1 + draw.below(49), 2)}${pad(1 + draw.below(9999), 4)}`, '000-00-0000');

/** Group 93 is not assigned to taxpayer numbers. */
const itin: Maker = (text, draw) =>
  fill(text, `9${pad(draw.below(100), 2)}93${pad(draw.below(10_000), 4)}`, '000-00-0000');

/** Numbers from 999 are test patients. */
const nhs: Maker = (text, draw) => {
  for (;;) {
    const digits = `999${pad(draw.below(1_000_000), 6)}`;
    const sum = digits.split('').reduce((total, digit, index) => total + Number(digit) * (10 - index), 0);
    const check = (11 - (sum % 11)) % 11;
    if (check < 10) return fill(text, `${digits}${String(check)}`, '000 000 0000');
  }
};

/** Numbers that card networks and processors publish for tests; all pass the Luhn check. */
const TEST_CARDS: ReadonlyMap<number, readonly string[]> = new Map([
  [14, ['30569309025904', '38520000023237', '36227206271667']],
  [15, ['378282246310005', '371449635398431', '378734493671000']],
  [16, ['4111111111111111', '4012888888881881', '4242424242424242', '4000056655665556', '5555555555554444']],
]);
const MORE_TEST_CARDS = ['5105105105105100', '2223003122003222', '6011111111111117', '6011000990139424'];

const card: Maker = (text, draw) => {
  const length = text.replace(/\D/g, '').length;
  const cards = TEST_CARDS.get(length) ?? [...(TEST_CARDS.get(16) ?? []), ...MORE_TEST_CARDS];
  const number = cards[draw.below(cards.length)] ?? '4111111111111111';
  return number.length === length ? fill(text, number) : number;
};

/** ISO 3166 leaves ZZ to users, so no bank has it; the check digits are right (ISO 13616). */
const iban: Maker = (text, draw) => {
  const compact = text.replace(/[^0-9A-Za-z]/g, '').toUpperCase();
  const account = compact
    .slice(4)
    .split('')
    .map((char) => (/\d/.test(char) ? String(draw.below(10)) : String.fromCharCode(65 + draw.below(26))))
    .join('');
  let rest = 0;
  for (const char of `${account}ZZ00`) rest = Number(`${String(rest)}${String(Number.parseInt(char, 36))}`) % 97;
  return fill(text, `ZZ${pad(98 - rest, 2)}${account}`);
};

const GIVEN = ['Alex', 'Billie', 'Casey', 'Dana', 'Eden', 'Frankie', 'Jamie', 'Kim', 'Lee', 'Robin', 'Sam', 'Taylor'];
const FAMILY = ['Beispiel', 'Ejemplo', 'Esempio', 'Example', 'Exemple', 'Mustermann', 'Placeholder', 'Sample'];

const person: Maker = (text, draw) => {
  const names = [GIVEN[draw.below(GIVEN.length)] ?? 'Alex', FAMILY[draw.below(FAMILY.length)] ?? 'Example'];
  return /\s/.test(text.trim()) ? names.join(' ') : (names[0] ?? 'Alex');
};

const MAKERS: ReadonlyMap<string, Maker> = new Map([
  ['EMAIL_ADDRESS', email],
  ['URL', url],
  ['IP_ADDRESS', ip],
  ['MAC_ADDRESS', mac],
  ['PHONE_NUMBER', phone],
  ['US_SSN', ssn],
  ['US_ITIN', itin],
  ['UK_NHS', nhs],
  ['CREDIT_CARD', card],
  ['IBAN_CODE', iban],
  ['PERSON', person],
]);

/** Puts characters in the places of letters and digits; `usual` is the form when the number of places differs. */
function fill(form: string, characters: string, usual = characters): string {
  const places = form.replace(/[^0-9A-Za-z]/g, '').length;
  let at = 0;
  return (places === characters.length ? form : usual).replace(/[0-9A-Za-z]/g, () => characters.charAt(at++));
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
