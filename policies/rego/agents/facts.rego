# METADATA
# title: Facts the rules share
# description: >-
#   What several rules ask of the input and of the tenant's parameters. Every question is put so that a missing or
#   malformed answer restricts: a hosting nobody declared is external. Negations therefore stand before rules and
#   functions that read the input themselves; `not f(input.x)` would be undefined, not true, without an x. Each shipped
#   bundle has a copy of this file.
package countersign.facts

# METADATA
# title: The tenant's parameters
# description: data.tenants[<tenant id>] as parameters.schema.json describes it; an absent tenant has none.
default parameters := {}

parameters := data.tenants[input.tenant.id]

# METADATA
# title: What is asked about has content
# description: >-
#   Of a model call or a tool call, on its way out or back. What is asked most comes first, because a module makes a set
#   anew each time it looks into one.
has_content if {
	input.point == "model.request"
} else if {
	input.point in {"model.response", "tool.call", "tool.result"}
}

# METADATA
# title: The model is operated by somebody else
external if not owned

owned if input.model.hosting in {"private", "local"}

# METADATA
# title: The call's data classification
# description: The stricter of what the call carries and what the tenant declares, so that a claim can only restrict.
classification := levels[max([rank(input.data.classification), rank(object.get(parameters, "classification", "internal"))])]

levels := ["public", "internal", "confidential", "restricted"]

default rank(_) := 3

rank(null) := 0

rank(level) := position if {
	some position
	levels[position] == level
}

# METADATA
# title: One of the frameworks is the tenant's
under(names) if {
	some framework in input.tenant.frameworks
	framework in names
}

# METADATA
# title: A name fits one of the patterns
# description: One `*` in a pattern stands for any characters.
listed(patterns, name) if {
	some pattern in patterns
	fits(split(pattern, "*"), name)
}

fits([whole], name) if name == whole

fits([start, end], name) if {
	startswith(name, start)
	endswith(name, end)
	count(name) >= count(start) + count(end)
}

# METADATA
# title: Another person approved exactly this
# description: With a list of roles, one of them is the role it was approved in; null asks for no role.
approved(roles) if {
	some approval in input.approvals
	approval.decision == "approved"
	approval.applies == true
	approval.by != input.principal.id
	suits(approval.role, roles)
}

suits(_, null)

suits(role, roles) if role in roles

# METADATA
# title: One reason of a decision
# description: Title, rule id, severity and controls come from the METADATA of the rule that decided.
reason(rule, message, path) := {
	"rule": rule.custom.rule,
	"title": rule.title,
	"message": message,
	"severity": rule.custom.severity,
	"controls": sort(rule.custom.controls),
	"path": path,
}

# METADATA
# title: The first place of a finding
default first_path(_) := ""

first_path(finding) := min(finding.paths)

# METADATA
# title: Where a finding lies, in words
default places(_) := ""

places(finding) := $" at {first_path(finding)}" if count(finding.paths) == 1

places(finding) := $" at {first_path(finding)} (and {count(finding.paths) - 1} more)" if count(finding.paths) > 1

# METADATA
# title: What the caller is told
# description: The first three messages; the ledger has all of them.
summary(reasons) := concat(" ", messages) if {
	messages := sort({reason.message | some reason in reasons})
	count(messages) <= 3
} else := $"{concat(" ", array.slice(messages, 0, 3))} There are {count(messages) - 3} more reasons." if {
	messages := sort({reason.message | some reason in reasons})
}
