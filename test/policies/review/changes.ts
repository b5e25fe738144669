/** A bundle of its own. */
export const NO_SHELL = `package countersign.main

decision := {"effect": effect, "reasons": sort(deny), "obligations": [], "user_message": ""}

effect := "deny" if count(deny) > 0

else := "allow"

deny contains reason if {
	some tool in input.tools.offered
	tool.name == "shell"
	reason := {
		"rule": "own.shell", "title": "No shells", "message": "No shells here.",
		"severity": "high", "controls": [], "path": "/tools",
	}
}
`;

/** Three changes: a new rule, a stricter comparison, a condition less. */
export const CHANGES = [
  {
    what: 'a rule against tools is added',
    file: 'tools.rego',
    edit: (text: string) => text,
    add: (main: string) =>
      `${main}\n# METADATA\n# title: No shells\n# custom: { rule: tools.shell, severity: high, controls: [] }\ndeny contains reason if {\n\tsome tool in input.tools.offered\n\ttool.name == "shell"\n\treason := facts.reason(rego.metadata.rule(), "No shells here.", "/tools")\n}\n`,
  },
  {
    what: 'a limit is moved',
    file: 'main.rego',
    edit: (text: string) => text,
    add: (main: string) =>
      `${main}\n# METADATA\n# title: Few messages\n# custom: { rule: main.messages, severity: low, controls: [] }\ndeny contains reason if {\n\tinput.point == "model.request"\n\tinput.request.messages >= 4\n\treason := facts.reason(rego.metadata.rule(), "Too many messages.", "/messages")\n}\n`,
  },
  {
    what: 'secrets no longer matter',
    file: 'secrets.rego',
    edit: (text: string) => text.replaceAll('finding.kind == "secret"', 'finding.kind == "nothing"'),
    add: (main: string) => main,
  },
];
