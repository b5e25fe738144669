import { describe, expect, test } from 'vitest';
import { createPdp, uniteCandidates } from '../../policies/index.ts';
import type { Evaluation, Pdp } from '../../policies/index.ts';
import { requestInput } from './facts.ts';
import { baseline, compileRego, findTools, required } from './toolchain.ts';

/** The baseline and a tenant's own small bundle on the same call. */
const tools = await findTools();
const run = test.skipIf(tools === null);

const HOUSE_RULES = `import data.house

# METADATA
# entrypoint: true
decision := {
	"effect": effect,
	"reasons": reasons,
	"obligations": [{"type": "route", "hosting": house.hosting}, {"type": "label", "add": ["house"]}, {"type": "record", "content": "digest", "retention_days": 90}],
	"user_message": concat(" ", [reason.message | some reason in reasons]),
}

effect := "deny" if {
	count(reasons) > 0
} else := "require_approval" if {
	input.request.messages > 100
} else := "allow"

reasons := [reason |
	some word in house.forbidden
	contains(input.model.requested, word)
	reason := {"rule": "house.words", "title": "House rule", "message": sprintf("The model %s is not used in this house.", [input.model.requested]), "severity": "low", "controls": [], "path": "/model"}
]`;

async function both(): Promise<Pdp> {
  const data = { house: { forbidden: ['experimental'], hosting: ['external', 'private'] } };
  const house = await compileRego(required(tools), 'house', HOUSE_RULES, data);
  return createPdp({ bundles: [await baseline(), house], tenantData: {} });
}

function decision(evaluation: Evaluation): Extract<Evaluation, { outcome: 'decided' }>['decision'] {
  if (evaluation.outcome === 'undecided') throw new TypeError(`${evaluation.code}: ${evaluation.detail}`);
  return evaluation.decision;
}

const secret = { type: 'JWT', kind: 'secret' as const, count: 1, max_score: 900, paths: ['/messages/0/content'] };
const base = requestInput();
const model = (requested: string): typeof base.model => (base.model === null ? null : { ...base.model, requested });

describe('two bundles', () => {
  run('the same question is combined once', async () => {
    const pdp = await both();
    const first = pdp.evaluate(['baseline', 'house'], base);
    expect(pdp.evaluate(['baseline', 'house'], requestInput())).toBe(first);
    expect(pdp.evaluate(['house', 'baseline'], base)).toEqual({
      ...first,
      fired: first.outcome === 'decided' ? first.fired.toReversed() : [],
    });
    expect(pdp.evaluate(['house'], base)).not.toEqual(first);
  });

  run('both allow: their obligations are united', async () => {
    const united = decision((await both()).evaluate(['baseline', 'house'], base));
    expect(united).toEqual({
      effect: 'allow',
      reasons: [],
      user_message: '',
      obligations: [
        { type: 'label', add: ['house'] },
        { type: 'record', content: 'digest', retention_days: 90 },
        { type: 'record', content: 'redacted' },
        { type: 'route', hosting: ['external', 'private'] },
      ],
    });
  });

  run('either denies, with its own reasons; the order of bundles does not matter', async () => {
    const pdp = await both();
    const byHouse = decision(pdp.evaluate(['baseline', 'house'], requestInput({ model: model('experimental-1') })));
    expect(byHouse).toMatchObject({ effect: 'deny', reasons: [{ rule: 'house.words' }] });
    expect(byHouse.user_message).toBe('The model experimental-1 is not used in this house.');
    const byBaseline = decision(pdp.evaluate(['house', 'baseline'], requestInput({ findings: [secret] })));
    expect(byBaseline).toMatchObject({ effect: 'deny', reasons: [{ rule: 'secrets.outbound' }] });
    const call = requestInput({ model: model('experimental-1'), findings: [secret] });
    const all = decision(pdp.evaluate(['house', 'baseline'], call));
    expect(all.reasons.map((reason) => reason.rule)).toEqual(['secrets.outbound', 'house.words']);
    expect(decision(pdp.evaluate(['baseline', 'house'], call))).toEqual(all);
  });

  run('approval beats allow, deny beats approval', async () => {
    const pdp = await both();
    const request = base.request === null ? null : { ...base.request, messages: 101 };
    expect(decision(pdp.evaluate(['baseline', 'house'], requestInput({ request }))).effect).toBe('require_approval');
    expect(decision(pdp.evaluate(['baseline', 'house'], requestInput({ request, findings: [secret] }))).effect).toBe(
      'deny',
    );
  });

  run('a route of one bundle narrows the candidates the other allowed', async () => {
    const pdp = await both();
    const candidates = [
      { deployment: 'openai/gpt', model: 'gpt', region: 'us', hosting: 'external' },
      { deployment: 'local/llama', model: 'llama', region: 'local', hosting: 'local' },
    ];
    const results = candidates.map(({ deployment, hosting }) => ({
      deployment,
      evaluation: pdp.evaluate(
        ['baseline', 'house'],
        requestInput({
          model:
            base.model === null
              ? null
              : { ...base.model, deployment, hosting: hosting === 'local' ? 'local' : 'external' },
        }),
      ),
    }));
    expect(uniteCandidates(results, candidates)).toMatchObject({
      effect: 'allow',
      allowed: ['openai/gpt'],
      obligations: { labels: ['house'], record: { content: 'digest', retentionDays: 90 } },
    });
  });

  run('each bundle sees its own data, and only the tenant parameters in common', async () => {
    const rego = `# METADATA
# entrypoint: true
decision := {"effect": "allow", "reasons": [], "obligations": [], "user_message": seen}

seen := "nothing" if {
	not data.house
} else := "another bundle's data"`;
    const own = await compileRego(required(tools), 'own', rego);
    const house = await compileRego(required(tools), 'house', HOUSE_RULES, { house: { forbidden: [], hosting: [] } });
    const pdp = await createPdp({ bundles: [own, house], tenantData: { acme: {} } });
    expect(pdp.identities(['house', 'own']).map((one) => one.name)).toEqual(['house', 'own']);
    expect(decision(pdp.evaluate(['own'], base)).user_message).toBe('nothing');
  });
});
