import { parse } from 'tldts';
import { findEmails, PUBLISHED_EMAIL } from '../email.ts';
import { pattern, words } from '../recognizer.ts';
import type { PresidioRecognizer } from '../recognizer.ts';
import { findUrls } from '../url.ts';

const raw = String.raw;
const DAY = '(?:[1-9]|0[1-9]|[12][0-9]|3[01])';
const MONTH = '(?:[1-9]|0[1-9]|1[0-2])';
const YEAR = raw`(?:\d{4}|\d{2})`;
const NAME = '(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)';
const ISO_DATE = raw`\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d`;
const ISO_ZONE = raw`(?:[+-][0-2]\d:[0-5]\d|Z)`;
const ISO_TIME = raw`${ISO_DATE}(?::[0-5]\d(?:\.\d{1,64})?)?${ISO_ZONE}`;

export const TEXT: readonly PresidioRecognizer[] = [
  {
    name: 'DateRecognizer',
    entity: 'DATE_TIME',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('ISO 8601', raw`\<${ISO_TIME}\>`, 0.8),
      pattern('mm/dd/yyyy or mm/dd/yy', raw`\<${MONTH}\/${DAY}\/${YEAR}\>`, 0.6),
      pattern('dd/mm/yyyy or dd/mm/yy', raw`\<${DAY}\/${MONTH}\/${YEAR}\>`, 0.6),
      pattern('yyyy/mm/dd', raw`\<\d{4}\/${MONTH}\/${DAY}\>`, 0.6),
      pattern('mm-dd-yyyy', raw`\<${MONTH}-${DAY}-\d{4}\>`, 0.6),
      pattern('dd-mm-yyyy', raw`\<${DAY}-${MONTH}-\d{4}\>`, 0.6),
      pattern('yyyy-mm-dd', raw`\<\d{4}-${MONTH}-${DAY}\>`, 0.6),
      pattern('dd.mm.yyyy or dd.mm.yy', raw`\<${DAY}\.${MONTH}\.${YEAR}\>`, 0.6),
      pattern('dd-MMM-yyyy or dd-MMM-yy', raw`\<${DAY}-${NAME}-${YEAR}\>`, 0.6),
      pattern('MMM-yyyy or MMM-yy', raw`\<${NAME}-${YEAR}\>`, 0.6),
      pattern('dd-MMM or dd-MMM', raw`\<${DAY}-${NAME}\>`, 0.6),
      pattern('mm/yyyy or m/yyyy', raw`\<${MONTH}\/\d{4}\>`, 0.2),
      pattern('mm/yy or m/yy', raw`\<${MONTH}\/\d{2}\>`, 0.1),
    ],
    context: words('date, birthday'),
    example: '2021-05-21',
    source: 'ISO 8601-1 and the written forms in use',
  },
  {
    name: 'EmailRecognizer',
    entity: 'EMAIL_ADDRESS',
    languages: ['en'],
    standing: 'on',
    patterns: [{ ...pattern('Email (Medium)', '[^@]@[^@]', 0.5), published: PUBLISHED_EMAIL }],
    context: words('email'),
    validate: (match) => isRegisteredName(hostOf(match)),
    find: findEmails,
    example: 'info@presidio.site',
    source: 'RFC 5321 section 4.1.2, without quoted local parts; public suffix list',
  },
  {
    name: 'UrlRecognizer',
    entity: 'URL',
    languages: ['en'],
    standing: 'on',
    patterns: [
      pattern('Standard Url', 'https?://', 0.6),
      pattern('Non schema URL', raw`[A-Z0-9-]\.[A-Z]`, 0.5),
      pattern('Quoted URL', raw`["']https?://`, 0.6),
      pattern('Quoted Non-schema URL', raw`["'][A-Z0-9.-]+\.[A-Z]`, 0.5),
    ],
    context: words('url, website, link'),
    find: findUrls,
    example: 'https://www.microsoft.com/',
    source: 'RFC 3986 with host names under a top-level domain of the IANA root zone',
  },
];

/** Presidio reads an address as it would a URL, so that a `/`, `?` or `#` in it ends the host. */
function hostOf(match: string): string {
  const authority = match.split(/[/?#]/, 1)[0] ?? '';
  return authority.slice(authority.lastIndexOf('@') + 1);
}

/** A name directly or deeper under a public suffix of the ICANN part. */
function isRegisteredName(host: string): boolean {
  const { domain, isIcann } = parse(host, { allowPrivateDomains: false, validateHostname: false });
  return domain !== null && isIcann === true;
}
