# METADATA
# title: The tool that is called
# description: >-
#   What a server says of its own tool counts only once somebody has reviewed and pinned the definition; until then the
#   tool is taken to write, to destroy and to reach the outside world, as the protocol's defaults say.
package countersign.tool

import data.countersign.facts

# METADATA
# title: The call under decision
called := input.tools.call if input.point == "tool.call"

# METADATA
# title: A name fits the tool
# description: Patterns are compared with `<tool>` and with `<server>/<tool>`.
listed(patterns) if facts.listed(patterns, called.name)

listed(patterns) if facts.listed(patterns, $"{called.server}/{called.name}")

# METADATA
# title: Its definition, if it was pinned
definition := offered[0] if {
	count(offered) == 1
	offered[0].pinned == true
}

offered := [tool |
	some tool in input.tools.offered
	tool.name == called.name
	tool.server == called.server
]

read_only if definition.annotations.readOnlyHint == true

harmless if read_only

harmless if definition.annotations.destructiveHint == false

# METADATA
# title: It stays within the organisation
closed if definition.annotations.openWorldHint == false
