import type { PolicyInput } from '../input.ts';

export interface ExampleFacts {
  readonly [name: string]: string | number | boolean | null | readonly string[];
}

/** What a reviewer needs of an input to understand a decision, and nothing that says whose call it was. */
export function exampleFacts(input: PolicyInput | undefined): ExampleFacts {
  if (input === undefined) return {};
  const { model, request, data, purpose, findings, unscanned, tools, response } = input;
  const found = findings.map(({ type, kind, count }) => `${type} (${kind}) × ${String(count)}`);
  return {
    point: input.point,
    deployment: model?.deployment ?? null,
    region: model?.region ?? null,
    hosting: model?.hosting ?? null,
    classification: data.classification,
    residency: data.residency,
    eu_risk: purpose.eu_risk,
    stream: request?.stream ?? null,
    max_tokens: request?.max_tokens ?? null,
    tokens_estimate: request?.tokens_estimate ?? null,
    modalities: request?.modalities ?? [],
    findings: found,
    unscanned: unscanned.map(({ what }) => what),
    tools: tools.offered.map(({ name }) => name),
    tool_called: tools.call?.name ?? null,
    finish_reason: response?.finish_reason ?? null,
  };
}
