package countersign.rules.administration_test

import data.countersign.facts_test.base
import data.countersign.rules.administration

call(verb, roles) := object.union(base, {
	"point": concat(".", ["admin", verb]),
	"model": null,
	"request": null,
	"principal": {"roles": roles},
})

rules(reasons) := {reason.rule | some reason in reasons}

everyone := {
	"approver", "auditor", "caller", "finance", "key-admin", "policy-approver", "policy-author", "tenant-admin",
}

# The whole matrix: who may is written out, everybody else may not.
test_matrix[verb] if {
	some verb, may in {
		"approvals.decide": {"approver", "policy-approver"},
		"approvals.list": {"approver", "auditor", "policy-approver"},
		"break_glass.open": {"policy-author", "tenant-admin"},
		"break_glass.review": {"approver", "auditor", "policy-approver"},
		"calls.read": {"auditor"},
		"config.read": {"auditor", "tenant-admin"},
		"config.reload": {"tenant-admin"},
		"costs.read": {"auditor", "finance", "tenant-admin"},
		"erasure.erase": {"tenant-admin"},
		"erasure.find": {"tenant-admin"},
		"holds.add": {"auditor", "tenant-admin"},
		"holds.list": {"auditor", "tenant-admin"},
		"holds.release": {"tenant-admin"},
		"keys.create": {"key-admin"},
		"keys.list": {"key-admin"},
		"keys.revoke": {"key-admin"},
		"ledger.export": {"auditor"},
		"ledger.status": {"auditor"},
		"ledger.verify": {"auditor"},
		"policy.activate": {"policy-approver"},
		"policy.observe": {"policy-author", "tenant-admin"},
		"policy.propose": {"policy-author"},
		"policy.rollback": {"policy-approver", "policy-author", "tenant-admin"},
		"policy.status": {"auditor", "policy-approver", "policy-author", "tenant-admin"},
		"switches.list": {"approver", "auditor", "policy-approver", "policy-author", "tenant-admin"},
		"switches.release": {"policy-author", "tenant-admin"},
		"switches.throw": {"approver", "policy-approver", "policy-author", "tenant-admin"},
		"tenants.read": {"auditor", "tenant-admin"},
		"waivers.end": {"approver", "policy-approver", "policy-author", "tenant-admin"},
		"waivers.list": {"approver", "auditor", "policy-approver", "policy-author", "tenant-admin"},
		"waivers.make": {"policy-author", "tenant-admin"},
		"unknown.verb": set(),
		"": set(),
	}
	allowed := {role | some role in everyone; denials(verb, [role]) == set()}
	allowed == may
}

denials(verb, roles) := result if {
	result := administration.deny with input as call(verb, roles)
}

test_no_roles if rules(denials("keys.list", [])) == {"administration.role"}

test_separation if {
	rules(denials("keys.list", ["key-admin", "auditor"])) == {"administration.separation"}
	rules(denials("ledger.verify", ["key-admin", "auditor"])) == {"administration.separation"}
	rules(denials("policy.activate", ["policy-author", "policy-approver"])) == {"administration.separation"}
	count(denials("keys.list", ["key-admin", "tenant-admin", "finance"])) == 0
}

test_only_administration if {
	count(administration.deny) == 0 with input as base
	both := object.union(base, {"principal": {"roles": ["auditor", "key-admin"]}})
	count(administration.deny) == 0 with input as both
}
