import type { Control } from './control.ts';
import { APPROVALS, CALLS, CHANGES, FAILURES, READS, RECORDING, REFUSED } from './queries.ts';

const REGIME = 'EU AI Act, Regulation (EU) 2024/1689';
const SOURCE = 'https://eur-lex.europa.eu/eli/reg/2024/1689/oj';
/** Annex III systems, as moved by the Digital Omnibus on AI adopted by the Council on 2026-06-29; first set for 2026-08-02. */
const IN_FORCE = '2027-12-02';
const act = { regime: REGIME, source: SOURCE, inForce: IN_FORCE };

/** High-risk systems: records, oversight, deployers. The Act asks for logs, not for proof against tampering. */
export const AI_ACT: readonly Control[] = [
  {
    ...act,
    id: 'ai-act-12-1',
    clause: 'Article 12(1)',
    asks: 'High-risk systems technically allow the automatic recording of events over their lifetime.',
    supports:
      'They show which calls were recorded automatically and in which order; calls that went around the gateway are not in them.',
    query: CALLS,
  },
  {
    ...act,
    id: 'ai-act-12-2',
    clause: 'Article 12(2)',
    asks: 'Events are recorded that are relevant for finding risks, for monitoring after placing on the market, and for monitoring by the deployer.',
    supports: 'They show what was refused, held for a person or could not be decided, with the rule that said so.',
    query: REFUSED,
  },
  {
    ...act,
    id: 'ai-act-14-4',
    clause: 'Article 14(4)',
    asks: 'People can oversee the system, decide not to use its output, and intervene or stop it.',
    supports:
      'They show requests for a decision by a person and what the person decided; whether the person understood the case they cannot show.',
    query: APPROVALS,
  },
  {
    ...act,
    id: 'ai-act-19-1',
    clause: 'Article 19(1)',
    asks: 'Providers keep the automatically generated logs under their control for at least six months.',
    supports:
      'They show when recording began and ended and what interrupted it; how far back entries reach is in completeness.json.',
    query: RECORDING,
  },
  {
    ...act,
    id: 'ai-act-26-5',
    clause: 'Article 26(5)',
    asks: 'Deployers monitor the operation and inform providers and authorities of risks and serious incidents.',
    supports:
      'They show outcomes that went wrong in recording and times without it; the content of each call tells the rest.',
    query: FAILURES,
  },
  {
    ...act,
    id: 'ai-act-26-6',
    clause: 'Article 26(6)',
    asks: 'Deployers keep the logs under their control for at least six months.',
    supports: 'They show every recorded call of the range and, by its sequence, that none is missing in it.',
    query: CALLS,
  },
  {
    ...act,
    id: 'ai-act-26-1',
    clause: 'Article 26(1)',
    asks: 'Deployers use the system in accordance with its instructions, by technical and organisational measures.',
    supports:
      'They show which policies and settings were in force from when on; that these express the instructions is for people to judge.',
    query: CHANGES,
  },
  {
    ...act,
    id: 'ai-act-12-reads',
    clause: 'Articles 19(1) and 21(2)',
    asks: 'Logs are given to a competent authority upon a reasoned request.',
    supports: 'They show who read or exported the logs and when.',
    query: READS,
  },
];
