import type { Decision, Reason } from './decision.ts';
import type { PolicyInput } from './input.ts';

/**
 * Kill switches hold whatever the bundles say: what a thrown switch stops is one more decision, a function of the input
 * alone, that is united with theirs. Nothing waives it and no mode lets it through.
 */

/** The decision of the switches that concern this input; null when none does. */
export function switchDecision(input: PolicyInput): Decision | null {
  // Inputs recorded before there were switches have none.
  const thrown: PolicyInput['kill_switches'] | undefined = input.kill_switches;
  if (thrown === undefined || thrown.length === 0) return null;
  const reasons: Reason[] = [];
  const tools: string[] = [];
  for (const { kind, target } of thrown) {
    if (stops(input, kind, target)) reasons.push(reason(kind));
    else if (kind === 'tool' && input.tools.offered.some(({ name }) => name === target)) tools.push(target);
  }
  if (reasons.length === 0 && tools.length === 0) return null;
  return {
    effect: reasons.length > 0 ? 'deny' : 'allow',
    reasons,
    obligations: tools.length > 0 ? [{ type: 'strip_tools', names: tools }] : [],
    user_message: reasons[0]?.message ?? '',
  };
}

/** Whether one of a decision's reasons is a switch. */
export function isSwitchedOff(decision: Pick<Decision, 'reasons'>): boolean {
  return decision.reasons.some(({ rule }) => rule.startsWith('switch.'));
}

function stops(input: PolicyInput, kind: PolicyInput['kill_switches'][number]['kind'], target: string): boolean {
  switch (kind) {
    case 'tenant':
      return true;
    case 'agent':
      return input.agent.id === target || input.agent.delegation.includes(target);
    case 'model':
      return (
        input.model !== null && [input.model.requested, input.model.model, input.model.deployment].includes(target)
      );
    case 'tool':
      // Offered tools are taken away; a call of one, or a model that wants to call one, is stopped.
      return (
        input.tools.call?.name === target || (input.response?.tool_calls ?? []).some(({ name }) => name === target)
      );
  }
}

const MESSAGES = {
  tenant: 'All calls of this tenant are stopped by an administrator.',
  agent: 'This agent is stopped by an administrator.',
  model: 'This model is stopped by an administrator.',
  tool: 'This tool is stopped by an administrator.',
} as const;

function reason(kind: keyof typeof MESSAGES): Reason {
  return {
    rule: `switch.${kind}`,
    title: 'Kill switch',
    message: MESSAGES[kind],
    severity: 'critical',
    controls: ['eu_ai_act:14.4.e', 'iso_42001:A.6.2.6'],
    path: '',
  };
}
