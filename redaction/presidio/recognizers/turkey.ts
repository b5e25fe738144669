import { digitsOf, weighted } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer, Verdict } from '../recognizer.ts';

const raw = String.raw;
const PROVINCE = '(?:0[1-9]|[1-7][0-9]|8[01])';
/** No Q, W, X, and none of the letters that are not in the Latin alphabet. */
const LETTER = '[A-PR-VYZ]';

export const TURKEY: readonly PresidioRecognizer[] = [
  {
    name: 'TrNationalIdRecognizer',
    entity: 'TR_NATIONAL_ID',
    languages: ['tr'],
    standing: 'off',
    patterns: [pattern('TC Kimlik No', raw`\<[1-9][0-9]{10}\>`, 0.5)],
    context: words(
      'tc kimlik, kimlik no, kimlik numarası, tckn, tc no, nüfus cüzdanı, national id, turkish id, türk kimlik',
    ),
    validate: isNationalId,
    example: '10000000146',
    source: '5490 sayılı Nüfus Hizmetleri Kanunu: eleven digits, two check digits',
  },
  {
    name: 'TrLicensePlateRecognizer',
    entity: 'TR_LICENSE_PLATE',
    languages: ['tr'],
    standing: 'off',
    patterns: [
      pattern('Plaka', raw`\<${PROVINCE}[\s-]${LETTER}{1,3}[\s-]\d{2,4}\>`, 0.5),
      pattern('Plaka (bitişik)', raw`\<${PROVINCE}[\s-]?${LETTER}{1,3}[\s-]?\d{2,4}\>`, 0.3),
    ],
    context: words(
      'plaka, araç plakası, plaka no, plaka numarası, araç, taşıt, license plate, plate number, ruhsat, vehicle',
    ),
    validate: checkPlate,
    example: '34 ABC 1234',
    source: 'Karayolları Trafik Yönetmeliği: province 01 to 81, letters, digits',
  },
];

function isNationalId(match: string): boolean {
  const digits = digitsOf(match);
  if (digits.length !== 11 || digits[0] === 0) return false;
  const odd = weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1]);
  const even = weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1]);
  const first = (((odd * 7 - even) % 10) + 10) % 10;
  return first === digits[9] && (odd + even + first) % 10 === digits[10];
}

/** Says nothing of what has not the form of a plate. */
function checkPlate(match: string): Verdict {
  const parts = /^([0-9]{2})[^0-9]{1,5}\p{Nd}{2,4}$/u.exec(match);
  if (parts === null) return null;
  const province = Number(parts[1]);
  return province >= 1 && province <= 81;
}
