# METADATA
# title: Records are kept long enough
# description: >-
#   Some laws ask for records of every call for a time. The longest of the tenant's frameworks is kept even if the
#   tenant set a shorter one, and a tenant under them cannot turn records off.
# custom:
#   policy: 14
#   on: framework `eu_ai_act`, `hipaa`, `finra` or `sec_17a_4`
#   needs: []
package countersign.rules.record_keeping

import data.countersign.facts

# METADATA
# title: Days a framework asks for
# description: Six months, three years, six years; whole days, leap days included.
terms := {"eu_ai_act": 184, "finra": 2192, "hipaa": 2192, "sec_17a_4": 1096}

floor := max({days | some framework in input.tenant.frameworks; days := terms[framework]})

# METADATA
# title: Record is kept for the floor
# description: The longest time any policy asks for holds; `full` is no wish, the least content any policy asks for holds.
# custom:
#   rule: record_keeping.term
#   severity: info
#   controls: ["eu_ai_act:12", "eu_ai_act:19", "eu_ai_act:26.6", "finra:4511", "hipaa:164.316.b.2", "sec_17a_4:b.4"]
obligations contains {"type": "record", "content": "full", "retention_days": floor} if {
	facts.has_content
}

# METADATA
# title: Records are turned off
# description: data.tenants[].record.content is none although a framework asks for records.
# custom:
#   rule: record_keeping.content
#   severity: high
#   controls: ["eu_ai_act:12", "eu_ai_act:26.6", "finra:4511", "sec_17a_4:b.4"]
deny contains reason if {
	facts.has_content
	floor
	facts.parameters.record.content == "none"
	message := "The tenant keeps no records although a framework it works under asks for them."
	reason := facts.reason(rego.metadata.rule(), message, "")
}
