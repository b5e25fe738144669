import type { Control } from './control.ts';
import { ADMINISTRATION, CALLS, CHANGES, FAILURES, GRANTS, PROTECTED, REFUSED, REVIEWS } from './queries.ts';

const iso = {
  regime: 'ISO/IEC 42001:2023',
  source: 'https://www.iso.org/standard/81230.html',
  inForce: '2023-12-18',
};
const soc = {
  regime: 'SOC 2, Trust Services Criteria 2017 (points of focus of 2022)',
  source:
    'https://www.aicpa-cima.com/resources/download/2017-trust-services-criteria-with-revised-points-of-focus-2022',
  inForce: '2018-12-15',
};

/** Management system of AI: the annex's controls that leave records in a ledger. */
export const ISO_42001: readonly Control[] = [
  {
    ...iso,
    id: 'iso-42001-a-6-2-8',
    clause: 'Annex A, A.6.2.8',
    asks: 'The phases of the life cycle in which event logs are kept are determined, at the least when the system is in use.',
    supports: 'They are the event log of the system in use, call by call.',
    query: CALLS,
  },
  {
    ...iso,
    id: 'iso-42001-a-6-2-6',
    clause: 'Annex A, A.6.2.6',
    asks: 'Operation and monitoring of the system are defined and documented, errors and failures among them.',
    supports: 'They show interruptions of recording and outcomes that came late.',
    query: FAILURES,
  },
  {
    ...iso,
    id: 'iso-42001-a-9-2',
    clause: 'Annex A, A.9.2',
    asks: 'Processes for the responsible use of AI systems are defined and documented.',
    supports: 'They show where the policies stopped a use or asked for a person.',
    query: REFUSED,
  },
  {
    ...iso,
    id: 'iso-42001-8-1',
    clause: 'Clause 8.1',
    asks: 'Planned changes are controlled.',
    supports: 'They show each change of configuration and policy with its digests.',
    query: CHANGES,
  },
];

/** Common criteria; auditors test the population as well as the sample. */
export const SOC_2: readonly Control[] = [
  {
    ...soc,
    id: 'soc2-cc6-1',
    clause: 'CC6.1',
    asks: 'Logical access security protects information assets.',
    supports: 'They are the population of calls that were refused, with the reason of each.',
    query: REFUSED,
  },
  {
    ...soc,
    id: 'soc2-cc6-2',
    clause: 'CC6.2',
    asks: 'Users are registered and authorised before credentials are issued, and credentials are removed when access ends.',
    supports: 'They show each credential given, by whose approval, and each one taken away.',
    query: GRANTS,
  },
  {
    ...soc,
    id: 'soc2-cc6-3',
    clause: 'CC6.3',
    asks: 'Access is granted by roles, with least privilege and segregation of duties.',
    supports: 'They show roles with the second person who approved them; see also the report "duties".',
    query: GRANTS,
  },
  {
    ...soc,
    id: 'soc2-cc6-7',
    clause: 'CC6.7',
    asks: 'The transmission of information to outside parties is restricted and protected.',
    supports: 'They show calls in which personal data or secrets were redacted or refused before anything was sent.',
    query: PROTECTED,
  },
  {
    ...soc,
    id: 'soc2-cc7-2',
    clause: 'CC7.2',
    asks: 'System components are monitored for anomalies.',
    supports: 'They show reviews of the log that a person signed off, with the range reviewed.',
    query: REVIEWS,
  },
  {
    ...soc,
    id: 'soc2-cc7-3',
    clause: 'CC7.3',
    asks: 'Security events are evaluated.',
    supports: 'They show what failed in recording; what was done about it is outside the ledger.',
    query: FAILURES,
  },
  {
    ...soc,
    id: 'soc2-cc8-1',
    clause: 'CC8.1',
    asks: 'Changes are authorised, tested, approved and documented.',
    supports: 'They show every administrative action and change with its time and result.',
    query: ADMINISTRATION,
  },
];
