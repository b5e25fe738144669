# METADATA
# title: Health information only under a contract
# description: >-
#   A covered entity sends health information only to models of a provider it has a business associate agreement with.
#   Those carry the tag `baa` in the configuration. Every call is taken to carry health information, because a text can
#   say it without any identifier; a tenant may narrow that to calls in which personal data, or something that could not
#   be scanned, was found.
# custom:
#   policy: 6
#   on: framework `hipaa`
#   needs: [model.tags, findings, unscanned]
package countersign.rules.hipaa

import data.countersign.facts

# METADATA
# title: Provider without a business associate agreement
# description: data.tenants[].hipaa.phi is every_call (the default) or found.
# custom:
#   rule: hipaa.baa
#   severity: high
#   controls: ["hipaa:164.312.e.1", "hipaa:164.502.e", "hipaa:164.504.e"]
deny contains reason if {
	input.point == "model.request"
	facts.under({"hipaa"})
	facts.external
	not contracted
	not free_of_phi
	message := $"The provider of the model {input.model.requested} has no business associate agreement."
	reason := facts.reason(rego.metadata.rule(), message, "/model")
}

contracted if "baa" in input.model.tags

free_of_phi if {
	facts.parameters.hipaa.phi == "found"
	count([finding | some finding in input.findings; finding.kind == "pii"]) == 0
	count(input.unscanned) == 0
}
