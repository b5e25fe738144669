/** Every recognizer. */
import { COMMONWEALTH } from './recognizers/commonwealth.ts';
import { GERMANY } from './recognizers/germany.ts';
import { INDIA } from './recognizers/india.ts';
import { ITALY } from './recognizers/italy.ts';
import { KOREA } from './recognizers/korea.ts';
import { NETWORK } from './recognizers/network.ts';
import { NORDIC } from './recognizers/nordic.ts';
import { PAYMENT } from './recognizers/payment.ts';
import { PHONE } from './recognizers/phone.ts';
import { SOUTH_EAST_ASIA } from './recognizers/south-east-asia.ts';
import { SPAIN_AND_POLAND } from './recognizers/spain-poland.ts';
import { TEXT } from './recognizers/text.ts';
import { TURKEY } from './recognizers/turkey.ts';
import { UNITED_KINGDOM } from './recognizers/united-kingdom.ts';
import { UNITED_STATES } from './recognizers/united-states.ts';
import type { PresidioRecognizer } from './recognizer.ts';

export const RECOGNIZERS: readonly PresidioRecognizer[] = [
  ...PAYMENT,
  ...TEXT,
  ...NETWORK,
  ...PHONE,
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

/** In the order of Presidio's list; what it leaves off follows. */
const LISTED =
  'CreditCard UsBank UsLicense UsItin UsPassport UsSsn Nhs Crypto Date Email Iban Ip MacAddress MedicalLicense Phone Url'
    .split(' ')
    .map((name) => `${name}Recognizer`);

/** Those Presidio has switched on, or all. */
export function recognizersOf(selection: 'default' | 'all'): readonly PresidioRecognizer[] {
  const place = ({ name }: PresidioRecognizer): number =>
    LISTED.includes(name) ? LISTED.indexOf(name) : LISTED.length;
  const ordered = RECOGNIZERS.toSorted((a, b) => place(a) - place(b));
  return selection === 'all' ? ordered : ordered.filter(({ standing }) => standing === 'on');
}
