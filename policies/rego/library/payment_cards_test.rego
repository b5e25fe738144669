package countersign.rules.payment_cards_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.email
import data.countersign.facts_test.finding
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.payment_cards

card := finding("CREDIT_CARD", "pii")

call(findings) := object.union(under("pci_dss"), {"findings": findings})

masked(operator) := {{"type": "redact", "types": ["CREDIT_CARD"], "operator": operator}}

treat(word) := tenant({"payment_cards": {"request": word}})

test_masked if {
	payment_cards.obligations == masked("mask") with input as call([email, card])
	count(payment_cards.deny) == 0 with input as call([card])
	payment_cards.obligations == set() with input as call([email])
}

test_operators[operator] if {
	some operator in ["redact", "replace", "hash", "mask"]
	payment_cards.obligations == masked(operator) with input as call([card]) with data.tenants as treat(operator)
	count(payment_cards.deny) == 0 with input as call([card]) with data.tenants as treat(operator)
}

test_refused[word] if {
	some word in ["deny", "tokenize", "leave"]
	payment_cards.obligations == set() with input as call([card]) with data.tenants as treat(word)
	denials := payment_cards.deny with input as call([card]) with data.tenants as treat(word)
	{reason.message | some reason in denials} == {"A payment card number was found and may not be sent."}
	count(payment_cards.deny) == 0 with input as call([email]) with data.tenants as treat(word)
}

test_own_models_too if {
	own := object.union(call([card]), {"model": {"hosting": "local"}})
	payment_cards.obligations == masked("mask") with input as own
}

test_tool_calls_are_refused if {
	count(payment_cards.deny) == 1 with input as object.union(call([card]), {"point": "tool.call"})
	count(payment_cards.deny) == 0 with input as object.union(call([email]), {"point": "tool.call"})
	payment_cards.obligations == set() with input as object.union(call([card]), {"point": "tool.call"})
}

test_answers if {
	governed := object.union(answer, {"tenant": {"frameworks": ["pci_dss"]}})
	payment_cards.obligations == masked("mask") with input as governed
	payment_cards.obligations == masked("mask") with input as object.union(governed, {"point": "tool.result"})
	count(payment_cards.deny) == 0 with input as object.union(governed, {"findings": [card]}) with data.tenants as treat("deny")
}

test_off if {
	off := object.union(under("soc2"), {"findings": [card]})
	payment_cards.obligations == set() with input as off
	payment_cards.obligations == set() with input as answer
	count(payment_cards.deny) == 0 with input as off with data.tenants as treat("deny")
	count(payment_cards.deny) == 0 with input as object.union(off, {"point": "tool.call"})
}
