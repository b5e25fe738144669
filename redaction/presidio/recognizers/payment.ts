import { digitsOf, isLuhn } from '../digits.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';
import { isBitcoinAddress } from './bitcoin.ts';
import { checkIban, findIbans } from './iban-format.ts';

const raw = String.raw;
/** Airlines, American Express and Diners, Visa, Mastercard of the 5-series, Discover and Maestro. */
const ISSUER = String.raw`(?:[1346]\d{3}|5[0-5]\d{2})`;

export const PAYMENT: readonly PresidioRecognizer[] = [
  {
    name: 'CreditCardRecognizer',
    entity: 'CREDIT_CARD',
    languages: ['en', 'es', 'it', 'pl'],
    standing: 'on',
    patterns: [
      // Thirteen digits from 1 are a time in milliseconds.
      pattern('All Credit Cards (weak)', raw`\<(?!1\d{12}(?!\d))${ISSUER}[- ]?\d{3,4}[- ]?\d{3,4}[- ]?\d{3,5}\>`, 0.3),
    ],
    context: words('credit, card, visa, mastercard, cc, amex, discover, jcb, diners, maestro, instapayment'),
    validate: (match) => isLuhn(digitsOf(match)),
    example: '4012-8888-8888-1881',
    source: 'ISO/IEC 7812-1: issuer identification and check digit',
  },
  {
    name: 'CryptoRecognizer',
    entity: 'CRYPTO',
    languages: ['en'],
    standing: 'on',
    patterns: [pattern('Crypto (Medium)', '(?:bc1|[13])[A-Z0-9]{25,59}', 0.5)],
    context: words('wallet, btc, bitcoin, crypto'),
    validate: isBitcoinAddress,
    example: '16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ',
    source: 'Bitcoin: Base58Check addresses, BIP 173 and BIP 350',
  },
  {
    name: 'IbanRecognizer',
    entity: 'IBAN_CODE',
    languages: ['en'],
    standing: 'on',
    patterns: [pattern('IBAN Generic', '[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){0,7}(?:[ -]?[A-Z0-9]{1,3})?', 0.5)],
    context: words('iban, bank, transaction'),
    validate: checkIban,
    // By itself Presidio's recognizer takes capitals only; its engine runs every recognizer without regard to case.
    find: (text) => findIbans(text, 'any'),
    isNearDigits: true,
    example: 'DE89 3704 0044 0532 0130 00',
    source: 'ISO 13616-1 and the SWIFT IBAN registry: country formats and modulus 97',
  },
];
