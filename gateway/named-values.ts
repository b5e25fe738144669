/**
 * The blind index of findings: who a recorded content names, as keyed hashes beside the findings, so that an erasure finds the
 * entries about a person. Secrets are nobody's name and stay out.
 */
import { blindIndex, type JsonValue, type NamedValue } from '../ledger/index.ts';
import { normalise, type Analyzer, type Classification, type Finding, type JsonDocument } from '../redaction/index.ts';
import type { Call } from './call.ts';

type Sections = { readonly [name: string]: JsonValue };

/** The member `index`, or nothing when nobody is named. */
export function documentIndex(
  call: Pick<Call, 'services' | 'principal'>,
  document: JsonDocument,
  { findings, unscanned }: Pick<Classification, 'findings' | 'unscanned'>,
): Sections {
  const isComplete = unscanned.every(({ what }) => what !== 'too_many' && what !== 'too_large');
  if (findings.length === 0 && isComplete) return {};
  const texts = findings.map((finding) => valueIn(document.texts[finding.textIndex]?.text ?? '', finding));
  return index(call, texts.flat(), isComplete);
}

/** The same for texts that are recorded as they came, when something was found in them. */
export function textIndex(
  call: Pick<Call, 'services' | 'principal'>,
  texts: readonly string[],
  analyzer: Analyzer,
): Sections {
  return index(
    call,
    texts.flatMap((text) => analyzer.analyze(text).flatMap((finding) => valueIn(text, finding))),
    true,
  );
}

function valueIn(text: string, { type, kind, start, end }: Finding): NamedValue[] {
  return kind === 'pii' ? [{ type, value: normalise(type, text.slice(start, end)) }] : [];
}

function index(
  { services, principal }: Pick<Call, 'services' | 'principal'>,
  values: NamedValue[],
  isComplete: boolean,
): Sections {
  const found = principal === null ? null : blindIndex(services.keys, principal.tenant, values, isComplete);
  return found === null ? {} : { index: found };
}
