/**
 * Detection and redaction of personal data and secrets: in texts, in JSON bodies, in streams. A leaf: it imports nothing of
 * the product outside this folder and does no input or output.
 */
export { accuracyPage } from './accuracy/measure.ts';
export { createAnalyzer } from './analyze.ts';
export type { Analyzer } from './analyze.ts';
export type { Attachment } from './attachments.ts';
export { evaluateAnonymizerStep } from './anonymize/case.ts';
export type { AnonymizerStep } from './anonymize/case.ts';
export { anonymizeText, deanonymizeText } from './anonymize/engine.ts';
export type { AnonymizedText } from './anonymize/engine.ts';
export type { Entity } from './anonymize/entity.ts';
export {
  ANONYMIZER_NAMES,
  DEANONYMIZER_NAMES,
  readAnalyzerResults,
  readAnonymizedItems,
  readOperatorConfigs,
} from './anonymize/request.ts';
export type { OperatorConfigs } from './anonymize/request.ts';
export { classifyDocument } from './classify.ts';
export type { Classification, DocumentFinding, Unscanned } from './classify.ts';
export type { Modality } from './data-url.ts';
export { readDocument } from './document.ts';
export type { DocumentLimits, DocumentText, JsonDocument, JsonValue } from './document.ts';
export { editDocument } from './edit.ts';
export type { DocumentEdit } from './edit.ts';
export { ENGINE } from './engine.ts';
export { RedactionError } from './errors.ts';
export type { RedactionErrorCode } from './errors.ts';
export type { Finding, FindingKind, FindingSummary, Utf16Offset } from './finding.ts';
export type { AppliedRedaction, Operator, RedactionContext, RedactionRule } from './operators.ts';
export { publicPointer } from './pointer.ts';
export { readAdHocRecognizers } from './presidio/ad-hoc.ts';
export { createPresidioAnalyzer } from './presidio/analyzer.ts';
export type { PresidioAnalyzer } from './presidio/analyzer.ts';
export { evaluatePresidioCase } from './presidio/cases.ts';
export type { PresidioRequest, PresidioResult } from './presidio/request.ts';
export { redactText } from './redact.ts';
export { redactDocument } from './redact-document.ts';
export { addRemoteFindings, remoteTexts } from './remote-findings.ts';
export type { RemoteResults, RemoteSpan, RemoteText } from './remote-findings.ts';
export { readRemoteUrl } from './remote-url.ts';
export type { RemoteUrl } from './remote-url.ts';
export { createStreamRedactor } from './stream.ts';
export type { StreamRedactor } from './stream.ts';
export { createTokenVault, normalise } from './tokens.ts';
export type { TokenVault } from './tokens.ts';
