package countersign.waivers_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.denial
import data.countersign.facts_test.waiver
import data.countersign.waivers

given := changed("waivers", [waiver])

label := {"type": "label", "add": ["waiver:w1:a.rule"]}

test_lifts_the_rule_it_names if {
	waivers.lifted(denial) with input as given
	waivers.labels({denial}) == {label} with input as given
	not waivers.lifted(denial) with input as base
	waivers.labels({denial}) == set() with input as base
}

test_lifts_nothing_else[note] if {
	some note, case in {
		"another rule": {"waiver": {"rule": "b.rule"}, "reason": {}},
		"another call, or too late": {"waiver": {"applies": false}, "reason": {}},
		"critical": {"waiver": {}, "reason": {"severity": "critical"}},
		"unreadable facts": {"waiver": {"rule": "main.input"}, "reason": {"rule": "main.input"}},
		"administration": {"waiver": {"rule": "administration.role"}, "reason": {"rule": "administration.role"}},
	}
	facts := changed("waivers", [object.union(waiver, case.waiver)])
	reason := object.union(denial, case.reason)
	not waivers.lifted(reason) with input as facts
	waivers.labels({reason}) == set() with input as facts
}

test_one_label_for_all if {
	both := changed("waivers", [object.union(waiver, {"id": "w2"}), waiver])
	waivers.labels({denial}) == {{"type": "label", "add": ["waiver:w1:a.rule", "waiver:w2:a.rule"]}} with input as both
}
