import type { Control } from './control.ts';
import { ADMINISTRATION, CALLS, DENIED_ACCESS, FAILURES, GRANTS, INTEGRITY, PROTECTED, READS, RECORDING, REVIEWS } from './queries.ts'; // prettier-ignore

const hipaa = { regime: 'HIPAA Security Rule, 45 CFR Part 164', inForce: '2005-04-20' };
const CFR = 'https://www.ecfr.gov/current/title-45/section-';
const pci = {
  regime: 'PCI DSS v4.0.1',
  source: 'https://www.pcisecuritystandards.org/document_library/',
  inForce: '2025-01-01',
};

/** Health: record activity, and examine it. */
export const HIPAA: readonly Control[] = [
  {
    ...hipaa,
    id: 'hipaa-164-312-b',
    clause: '164.312(b)',
    source: `${CFR}164.312`,
    asks: 'Mechanisms record and examine activity in systems that contain or use electronic protected health information.',
    supports: 'They record the activity; that it was examined shows in hipaa-164-308-a-1-ii-d.',
    query: CALLS,
  },
  {
    ...hipaa,
    id: 'hipaa-164-308-a-1-ii-d',
    clause: '164.308(a)(1)(ii)(D)',
    source: `${CFR}164.308`,
    asks: 'Records of system activity are reviewed regularly.',
    supports: 'They show who signed off a review, of which range, and when.',
    query: REVIEWS,
  },
  {
    ...hipaa,
    id: 'hipaa-164-312-a-1',
    clause: '164.312(a)(1)',
    source: `${CFR}164.312`,
    asks: 'Only those with access rights get access.',
    supports: 'They show rights given and taken away.',
    query: GRANTS,
  },
  {
    ...hipaa,
    id: 'hipaa-164-312-c-1',
    clause: '164.312(c)(1)',
    source: `${CFR}164.312`,
    asks: 'Electronic protected health information is protected from improper alteration or destruction.',
    supports:
      'They are what binds the records: epochs and the writers that signed; a verification says whether it holds.',
    query: INTEGRITY,
  },
  {
    ...hipaa,
    id: 'hipaa-164-312-e-1',
    clause: '164.312(e)(1)',
    source: `${CFR}164.312`,
    asks: 'Protected health information is guarded when it is transmitted.',
    supports:
      'They show calls in which it was redacted or refused before anything was sent; detectors do not find everything.',
    query: PROTECTED,
  },
];

/** Cards: requirement 10, and what it asks of the log itself. */
export const PCI_DSS: readonly Control[] = [
  {
    ...pci,
    id: 'pci-dss-10-2-1-2',
    clause: 'Requirement 10.2.1.2',
    asks: 'Audit logs capture all actions taken by anyone with administrative access.',
    supports: 'They are the administrative actions, allowed and refused.',
    query: ADMINISTRATION,
  },
  {
    ...pci,
    id: 'pci-dss-10-2-1-3',
    clause: 'Requirement 10.2.1.3',
    asks: 'Audit logs capture all access to audit logs.',
    supports:
      'They show reads through the administrative interface and exports; whoever has the database itself is not among them.',
    query: READS,
  },
  {
    ...pci,
    id: 'pci-dss-10-2-1-4',
    clause: 'Requirement 10.2.1.4',
    asks: 'Audit logs capture all invalid logical access attempts.',
    supports: 'They count refusals before authentication by minute and reason.',
    query: DENIED_ACCESS,
  },
  {
    ...pci,
    id: 'pci-dss-10-2-1-5',
    clause: 'Requirement 10.2.1.5',
    asks: 'Audit logs capture all changes to identification and authentication credentials.',
    supports: 'They show keys and roles given, taken away and approved.',
    query: GRANTS,
  },
  {
    ...pci,
    id: 'pci-dss-10-2-1-6',
    clause: 'Requirement 10.2.1.6',
    asks: 'Audit logs capture initialisation of new logs and starting, stopping or pausing of the existing ones.',
    supports: 'They show each start and stop, and each gap with its cause.',
    query: RECORDING,
  },
  {
    ...pci,
    id: 'pci-dss-10-3-4',
    clause: 'Requirement 10.3.4',
    asks: 'Existing log data cannot be changed without generating alerts.',
    supports: 'They are what later verification compares with; by themselves they raise no alert.',
    query: INTEGRITY,
  },
  {
    ...pci,
    id: 'pci-dss-10-4-1',
    clause: 'Requirement 10.4.1',
    asks: 'Audit logs are reviewed at least daily.',
    supports: 'They show reviews signed off; automated reviews of your own are not among them.',
    query: REVIEWS,
  },
  {
    ...pci,
    id: 'pci-dss-10-7-2',
    clause: 'Requirement 10.7.2',
    asks: 'Failures of critical security controls, audit logging among them, are detected, alerted and addressed promptly.',
    supports: 'They show failures of recording with beginning, end and cause.',
    query: FAILURES,
  },
];
