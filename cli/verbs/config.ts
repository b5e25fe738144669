import type { Answer, Verb, VerbContext } from '../verb.ts';

function print({ project }: VerbContext): Promise<Answer> {
  const { printable } = project.config();
  return Promise.resolve({ exit: 0, data: printable, text: JSON.stringify(printable, null, 2) });
}

/** Here a wrong file is the answer to the question, so it is exit code 1 and not 2. */
function check({ project }: VerbContext): Promise<Answer> {
  const file = project.configPath;
  try {
    project.config();
    return Promise.resolve({ exit: 0, data: { file, ok: true, problems: [] }, text: `${file} is valid.` });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConfigError')) throw error;
    const problems = error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
    return Promise.resolve({ exit: 1, data: { file, ok: false, problems }, text: error.message });
  }
}

export const verbs: readonly Verb[] = [
  {
    path: ['config', 'print'],
    summary: 'Shows the configuration in effect: defaults applied, references resolved, no secrets.',
    example: 'countersign config print --config countersign.yaml',
    run: print,
  },
  {
    path: ['config', 'check'],
    summary: 'Checks a configuration file and names every wrong key, what was expected and what was found.',
    example: 'countersign config check --config countersign.yaml',
    run: check,
  },
];
