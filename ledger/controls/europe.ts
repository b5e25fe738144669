import type { Control } from './control.ts';
import { CALLS, CHANGES, ERASURES, FAILURES, GRANTS, INTEGRITY, PROTECTED, RECORDING } from './queries.ts';

const dora = {
  regime: 'DORA, Regulation (EU) 2022/2554, with Delegated Regulation (EU) 2024/1774',
  source: 'https://eur-lex.europa.eu/eli/reg_del/2024/1774/oj',
  inForce: '2025-01-17',
};
const gdpr = {
  regime: 'GDPR, Regulation (EU) 2016/679',
  source: 'https://eur-lex.europa.eu/eli/reg/2016/679/oj',
  inForce: '2018-05-25',
};

/** Financial entities: logging and what protects it. */
export const DORA: readonly Control[] = [
  {
    ...dora,
    id: 'dora-rts-12-events',
    clause: 'Delegated Regulation, Article 12',
    asks: 'Events to be logged are identified, among them access, changes, operations and traffic.',
    supports: 'They are the traffic of models and tools, call by call.',
    query: CALLS,
  },
  {
    ...dora,
    id: 'dora-rts-12-protection',
    clause: 'Delegated Regulation, Article 12',
    asks: 'Logs are protected against tampering, deletion and unauthorised access.',
    supports: 'They bind every entry; a verification with an anchor of your own says whether they still hold.',
    query: INTEGRITY,
  },
  {
    ...dora,
    id: 'dora-rts-12-failure',
    clause: 'Delegated Regulation, Article 12',
    asks: 'A failure of logging is detected.',
    supports:
      'They show times in which nothing could be recorded, and that nothing was sent meanwhile unless a policy allowed it.',
    query: FAILURES,
  },
  {
    ...dora,
    id: 'dora-rts-17',
    clause: 'Delegated Regulation, Article 17',
    asks: 'Changes of ICT systems are recorded, tested, assessed, approved and verified in a controlled manner.',
    supports: 'They show changes of configuration, policy and schema.',
    query: CHANGES,
  },
  {
    ...dora,
    id: 'dora-rts-21',
    clause: 'Delegated Regulation, Article 21',
    asks: 'Access rights follow need and least privilege, with segregation of duties and accountability of users.',
    supports: 'They show rights given and taken away, and who approved.',
    query: GRANTS,
  },
  {
    ...dora,
    id: 'dora-11',
    clause: 'Regulation, Article 11',
    asks: 'Continuity of critical functions is kept, and activities during disruptions are recorded.',
    supports: 'They show starts, stops, gaps and recoveries.',
    query: RECORDING,
  },
];

/** Personal data: accountability, protection and erasure. */
export const GDPR: readonly Control[] = [
  {
    ...gdpr,
    id: 'gdpr-5-2',
    clause: 'Article 5(2)',
    asks: 'The controller is able to demonstrate that the principles of processing are observed.',
    supports: 'They show each call with what was found and what was done about it.',
    query: CALLS,
  },
  {
    ...gdpr,
    id: 'gdpr-17',
    clause: 'Article 17',
    asks: 'Personal data is erased without undue delay where a ground applies, unless an exception does.',
    supports: 'They show each erasure with its legal basis and two approvers, and the holds that forbade one.',
    query: ERASURES,
  },
  {
    ...gdpr,
    id: 'gdpr-25',
    clause: 'Article 25',
    asks: 'Data protection by design and by default, such as minimisation.',
    supports: 'They show calls in which personal data was redacted or refused; detectors do not find everything.',
    query: PROTECTED,
  },
  {
    ...gdpr,
    id: 'gdpr-30',
    clause: 'Article 30',
    asks: 'Records of processing activities are maintained.',
    supports:
      'They show which models and providers received requests and when; the record itself is a document of yours.',
    query: CALLS,
  },
  {
    ...gdpr,
    id: 'gdpr-32',
    clause: 'Article 32',
    asks: 'Security of processing, with regular testing of its effectiveness.',
    supports: 'They show access rights given and taken away.',
    query: GRANTS,
  },
];
