# METADATA
# title: Administration
# description: >-
#   Each administrative action is given to a role, and roles that check each other are not held by one person.
# custom:
#   on: always, at `admin.*`
#   needs: [principal.roles]
package countersign.rules.administration

import data.countersign.facts

# METADATA
# title: Which role may do what
# description: One of the roles is enough. A verb that is not here is nobody's.
permissions := {
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
}

roles := {role | some role in input.principal.roles}

administrative if startswith(input.point, "admin.")

# METADATA
# title: Role does not allow this
# description: The principal holds none of the roles the verb is given to.
# custom:
#   rule: administration.role
#   severity: medium
#   controls: ["iso_27001:A.5.15", "iso_27001:A.8.2", "soc2:CC6.3"]
deny contains reason if {
	administrative
	verb := trim_prefix(input.point, "admin.")
	not permitted(verb)
	reason := facts.reason(rego.metadata.rule(), "None of your roles allows this.", "")
}

permitted(verb) if {
	some role in permissions[verb]
	role in roles
}

# METADATA
# title: Roles that exclude each other
# description: >-
#   Who makes keys does not check their use, and who writes a policy does not release it. A principal who holds both
#   roles of a pair administers nothing until one is taken away.
# custom:
#   rule: administration.separation
#   severity: high
#   controls: ["iso_27001:A.5.3", "soc2:CC6.3"]
deny contains reason if {
	administrative
	some pair in [["auditor", "key-admin"], ["policy-approver", "policy-author"]]
	every role in pair { role in roles }
	message := $"The roles {pair[0]} and {pair[1]} may not be held by one person."
	reason := facts.reason(rego.metadata.rule(), message, "")
}
