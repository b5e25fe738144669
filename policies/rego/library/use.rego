# METADATA
# title: What the call is for
# description: >-
#   A call's own statement and what the tenant declares of its application (data.tenants[].use) count together, so that
#   each can only add a restriction.
package countersign.use

import data.countersign.facts

# METADATA
# title: What the call and the tenant say it is for
purposes contains input.purpose.declared if is_string(input.purpose.declared)

purposes contains input.purpose.use_case if is_string(input.purpose.use_case)

purposes contains input.claimed.purpose

purposes contains facts.parameters.use.purpose

# METADATA
# title: The risk classes of Regulation (EU) 2024/1689 the call and the tenant name
risks contains input.purpose.eu_risk

risks contains facts.parameters.use.eu_risk

# METADATA
# title: Everybody may read the answers
public if facts.parameters.use.channel == "public"
