# METADATA
# title: Payment card numbers
# description: >-
#   A card number (checked by its check digit) is masked before any model sees it and in everything that comes back,
#   or the call is refused. This holds for models the organisation runs itself too: a model is no place for card data.
# custom:
#   policy: 7
#   on: framework `pci_dss`
#   needs: [findings]
package countersign.rules.payment_cards

import data.countersign.facts

found if {
	some finding in input.findings
	finding.type == "CREDIT_CARD"
}

# METADATA
# title: What happens to a card number
# description: An operator or "deny"; anything else counts as "deny".
treatment := object.get(facts.parameters, ["payment_cards", "request"], "mask")

operators := {"redact", "replace", "hash", "mask"}

# METADATA
# title: Card numbers are masked
# description: data.tenants[].payment_cards.request; default mask. A token would be restored in the answer and is not offered.
# custom:
#   rule: payment_cards.masked
#   severity: info
#   controls: ["pci_dss:3.4.1", "pci_dss:3.5.1"]
obligations contains {"type": "redact", "types": ["CREDIT_CARD"], "operator": treatment} if {
	input.point == "model.request"
	facts.under({"pci_dss"})
	found
	treatment in operators
}

# METADATA
# title: Card numbers are masked in answers
# description: Asked for before the first byte, so it does not wait for findings.
# custom:
#   rule: payment_cards.answers
#   severity: info
#   controls: ["pci_dss:3.4.1"]
obligations contains {"type": "redact", "types": ["CREDIT_CARD"], "operator": "mask"} if {
	input.point in {"model.response", "tool.result"}
	facts.under({"pci_dss"})
}

# METADATA
# title: Card numbers are refused
# description: With data.tenants[].payment_cards.request set to deny; at a tool call always, whose arguments are not rewritten.
# custom:
#   rule: payment_cards.refused
#   severity: high
#   controls: ["pci_dss:3.4.1", "pci_dss:4.2.1"]
deny contains reason if {
	facts.under({"pci_dss"})
	found
	refused
	reason := facts.reason(rego.metadata.rule(), "A payment card number was found and may not be sent.", "")
}

refused if input.point == "tool.call"

refused if {
	input.point == "model.request"
	not treatment in operators
}
