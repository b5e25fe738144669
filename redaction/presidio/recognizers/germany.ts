import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';
import {
  checkBsnr,
  checkVatId,
  isHealthInsuranceNumber,
  isLanr,
  isSerialNumber,
  isSocialSecurityNumber,
  isTaxId,
} from './germany-checks.ts';

const raw = String.raw;
/** Documents use digits and the letters that cannot be misread or form words. */
const SERIAL_LETTER = '[CFGHJKLMNPRTVWXYZ]';
const SERIAL = `${SERIAL_LETTER}[0-9CFGHJKLMNPRTVWXYZ]{7}[0-9]`;
const PLATE_LETTER = '[A-ZÄÖÜ]';

export const GERMANY: readonly PresidioRecognizer[] = [
  {
    name: 'DeTaxIdRecognizer',
    entity: 'DE_TAX_ID',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Steueridentifikationsnummer', raw`\<[1-9]\d{10}\>`, 0.5)],
    context: words(
      'steueridentifikationsnummer, steuer-id, steuerid, steuerliche identifikationsnummer, persönliche identifikationsnummer, idnr, tin, tax id, steuernummer, finanzamt, identifikationsnummer',
    ),
    validate: isTaxId,
    example: '12345678903',
    source: '§ 139b AO: eleven digits, ISO 7064 MOD 11,10',
  },
  {
    name: 'DeTaxNumberRecognizer',
    entity: 'DE_TAX_NUMBER',
    languages: ['de'],
    standing: 'off',
    patterns: [
      pattern('Steuernummer (ELSTER)', raw`\<(?:0[1-9]|1[0-6])\d{11}\>`, 0.5),
      pattern('Steuernummer (3/3/5)', raw`\<\d{3}\/\d{3}\/\d{5}\>`, 0.4),
      pattern('Steuernummer (states)', raw`\<\d{2,3}\/\d{3,4}\/\d{4,5}\>`, 0.2),
    ],
    context: words(
      'steuernummer, steuer-nr, steuernr, st.-nr, st-nr, stnr, finanzamt, steuererklärung, einkommensteuer, umsatzsteuer, elster, tax number',
    ),
    example: '0281508150123',
    source: 'ELSTER: unified federal number, and the forms of the states',
  },
  {
    name: 'DePassportRecognizer',
    entity: 'DE_PASSPORT',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Reisepassnummer', raw`\<${SERIAL}\>`, 0.4)],
    context: words(
      'reisepass, pass, passnummer, reisepassnummer, passport, passport number, pass-nr, passnr, ausweisdokument, reisedokument, passinhaber',
    ),
    validate: isSerialNumber,
    example: 'F12345671',
    source: '§ 4 PassV and ICAO Doc 9303: serial number and check digit',
  },
  {
    name: 'DeIdCardRecognizer',
    entity: 'DE_ID_CARD',
    languages: ['de'],
    standing: 'off',
    patterns: [
      pattern('Personalausweisnummer', raw`\<${SERIAL}\>`, 0.4),
      pattern('Personalausweisnummer (T)', raw`\<T\d{8}\>`, 0.5),
    ],
    context: words(
      'personalausweis, ausweis, ausweisnummer, personalausweisnummer, npa, neuer personalausweis, ausweis-nr, ausweisnr, identitätskarte, id card, identity card, perso, bundespersonalausweis, ausweisdokument',
    ),
    validate: (match) => (/^T\p{Nd}{8}$/iu.test(match) ? null : isSerialNumber(match)),
    example: 'L01X00T44',
    source: '§ 5 PAuswG and ICAO Doc 9303: serial number and check digit',
  },
  {
    name: 'DeSocialSecurityRecognizer',
    entity: 'DE_SOCIAL_SECURITY',
    languages: ['de'],
    standing: 'off',
    patterns: [
      pattern('Rentenversicherungsnummer', raw`\<\d{8}[A-Z]\d{3}\>`, 0.5),
      pattern('Rentenversicherungsnummer (spaced)', raw`\<\d{2}\s?\d{6}\s?[A-Z]\s?\d{3}\>`, 0.5),
    ],
    context: words(
      'rentenversicherungsnummer, rentenversicherung, sozialversicherungsnummer, sozialversicherung, versicherungsnummer, rvnr, rv-nummer, svnr, sv-nummer, vsnr, sozialversicherungsausweis, deutsche rentenversicherung, social security',
    ),
    validate: isSocialSecurityNumber,
    example: '15070649C103',
    source: '§ 147 SGB VI and § 2 VKVV: area, birth date, initial, serial, check digit',
  },
  {
    name: 'DeHealthInsuranceRecognizer',
    entity: 'DE_HEALTH_INSURANCE',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Krankenversichertennummer', raw`\<[A-Z]\d{9}\>`, 0.4)],
    context: words(
      'krankenversichertennummer, krankenversicherung, krankenkasse, krankenkassennummer, versichertennummer, versicherten-nr, kvnr, kv-nummer, gesundheitskarte, egk, elektronische gesundheitskarte, gkv, krankenversicherungsnummer, aok, barmer, tk, dak, health insurance',
    ),
    validate: isHealthInsuranceNumber,
    example: 'A123456780',
    source: '§ 290 SGB V: letter, eight digits, check digit',
  },
  {
    name: 'DeKfzRecognizer',
    entity: 'DE_KFZ',
    languages: ['de'],
    standing: 'off',
    patterns: [
      pattern('Kfz-Kennzeichen (hyphen, space)', plate('-', raw`\s`, ''), 0.3),
      pattern('Kfz-Kennzeichen (hyphens)', plate('-', '-', ''), 0.3),
      pattern('Kfz-Kennzeichen (spaces)', plate(raw`\s`, raw`\s`, ''), 0.3),
      pattern('Kfz-Kennzeichen (hyphen, E or H)', plate('-', raw`[\s-]`, '[EH]'), 0.3),
      pattern('Kfz-Kennzeichen (spaces, E or H)', plate(raw`\s`, raw`\s`, '[EH]'), 0.3),
    ],
    context: words(
      'kennzeichen, kfz-kennzeichen, kfz, nummernschild, autokennzeichen, fahrzeug, fahrzeugschein, zulassung, zulassungsbescheinigung, auto, pkw, amtliches kennzeichen, halter, license plate, wagen',
    ),
    example: 'HH AB 1234',
    source: 'FZV annex 4: district, one or two letters, one to four digits, E or H',
  },
  {
    name: 'DeHandelsregisterRecognizer',
    entity: 'DE_HANDELSREGISTER',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Handelsregisternummer', raw`\<HR[AB]\s{0,64}\d{1,6}\>`, 0.5)],
    context: words(
      'handelsregister, handelsregisternummer, registernummer, amtsgericht, registergericht, hrb, hra, eingetragen, gmbh, ag, kg, ohg, ug, firma, registerauszug, handelsregisterauszug, hr-nummer, sitz, geschäftsführer',
    ),
    example: 'HRB 123456',
    source: '§ 13 HRV: section A or B and number',
  },
  {
    name: 'DePlzRecognizer',
    entity: 'DE_PLZ',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Postleitzahl', raw`\<(?!01000\>|99999\>)(?:0[1-9]\d{3}|[1-9]\d{4})\>`, 0.05)],
    context: words(
      'plz, postleitzahl, ort, wohnort, adresse, anschrift, straße, strasse, stadt, postanschrift, postfach, hausnummer, wohnhaft, lieferadresse, rechnungsadresse, postal code, zip',
    ),
    example: '10115',
    source: 'Deutsche Post: postcodes 01001 to 99998',
  },
  {
    name: 'DeLanrRecognizer',
    entity: 'DE_LANR',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Lebenslange Arztnummer', raw`\<\d{9}\>`, 0.2)],
    context: words(
      'lanr, arztnummer, lebenslange arztnummer, arzt-nr, arztnr, arzt, ärztin, vertragsarzt, kassenarzt, kbv, kassenärztliche vereinigung, rezept, überweisung, verordnung, behandelnder arzt, facharzt, hausarzt',
    ),
    validate: isLanr,
    example: '123456601',
    source: '§ 75 Abs. 7 SGB V, KBV: six digits, check digit, two digits of the specialty',
  },
  {
    name: 'DeBsnrRecognizer',
    entity: 'DE_BSNR',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Betriebsstättennummer', raw`\<\d{9}\>`, 0.2)],
    context: words(
      'bsnr, betriebsstättennummer, betriebsstätte, betriebsstätten-nr, praxis, arztpraxis, praxisnummer, nbsnr, nebenbetriebsstätte, kv, kassenärztliche vereinigung, kbv, mvz, vertragsarzt, rezept, überweisung',
    ),
    validate: checkBsnr,
    example: '521234567',
    source: '§ 75 Abs. 7 SGB V, KBV: nine digits, the first two the association',
  },
  {
    name: 'DeVatIdRecognizer',
    entity: 'DE_VAT_ID',
    languages: ['de'],
    standing: 'off',
    patterns: [
      pattern('USt-IdNr.', raw`\<DE\d{9}\>`, 0.5),
      pattern('USt-IdNr. (grouped)', raw`\<DE[\s.-]?\d{3}[\s.-]?\d{3}[\s.-]?\d{3}\>`, 0.4),
    ],
    context: words(
      'ust-idnr, ust-id, ustid, ustidnr, umsatzsteuer-identifikationsnummer, umsatzsteueridentifikationsnummer, umsatzsteuer-id, umsatzsteuer, ust, mehrwertsteuer, vat, vat id, vat number, vat-id, rechnung, steuer',
    ),
    validate: (match) => checkVatId(match, false),
    example: 'DE136695976',
    source: '§ 27a UStG: ISO 7064 MOD 11,10',
  },
  {
    name: 'DeFuehrerscheinRecognizer',
    entity: 'DE_FUEHRERSCHEIN',
    languages: ['de'],
    standing: 'off',
    patterns: [pattern('Führerscheinnummer', raw`\<[A-Z]{2}\d{8}[A-Z0-9]\>`, 0.35)],
    context: words(
      'führerschein, führerscheinnummer, fahrerlaubnis, fahrerlaubnisnummer, führerschein-nr, führerscheinnr, fuehrerschein, fuehrerscheinnummer, fahrerlaubnisklasse, führerscheinklasse, kartenführerschein, eu-führerschein, lenkerberechtigung, fahrer, driving licence, driver license, driving license',
    ),
    example: 'MU12345678B',
    source: 'FeV annex 8: authority, serial number, check character',
  },
];

function plate(first: string, second: string, suffix: string): string {
  return raw`(?<![\w-])${PLATE_LETTER}{1,3}${first}[A-Z]{1,2}${second}\d{1,4}${suffix}\>`;
}
