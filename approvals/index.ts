export { ApprovalError, type ApprovalErrorCode } from './errors.ts';
export { identitiesOf, wishDigest } from './request.ts';
export type { ApprovalRequest, ApprovalState, Party, Wish } from './request.ts';
export { consume, decide, requireAnother, stateAt, type Verdict } from './rule.ts';
export { consumeApproval, decideApproval, listApprovals, MAX_TTL_MS, requestApproval } from './store.ts';
export type { ApprovalEvent, RecordApproval, RequestOptions } from './store.ts';
