import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { loadConfig, type Config } from '../gateway/config.ts';
import { CliError } from './errors.ts';

/** The folders one invocation works with. Relative paths in the configuration count from its own folder. */
export interface Project {
  /** The package: migrations, the shipped policy bundle, schemas. Read-only. */
  readonly root: string;
  readonly configPath: string;
  /** Database, keys and first key of this project, `.countersign` beside the configuration. */
  readonly stateDir: string;
  /** A path from the configuration, made absolute. */
  path(relative: string): string;
  /** Reads the configuration anew. @throws ConfigError */
  config(): Config;
}

export interface ProjectOptions {
  readonly root: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** `--config`, else null. */
  readonly configOption: string | null;
}

/** @throws CliError `config_invalid` when a file that was named does not exist */
export function openProject(options: ProjectOptions): Project {
  const configPath = findConfig(options);
  const folder = dirname(configPath);
  return {
    root: options.root,
    configPath,
    stateDir: join(folder, '.countersign'),
    path: (relative) => (isAbsolute(relative) ? relative : join(folder, relative)),
    config: () => loadConfig({ path: configPath, env: options.env }),
  };
}

/** The folder of the compiled policies that come with the package. */
export function shippedBundles({ root }: Pick<Project, 'root'>): string {
  return join(root, 'policies', 'dist');
}

function findConfig({ root, cwd, env, configOption }: ProjectOptions): string {
  const named = configOption ?? (env['COUNTERSIGN_CONFIG'] || null);
  if (named === null) {
    const here = join(cwd, 'countersign.yaml');
    return existsSync(here) ? here : join(root, 'countersign.yaml');
  }
  const path = resolve(cwd, named);
  if (existsSync(path)) return path;
  throw new CliError(
    'config_invalid',
    `Expected a configuration file at ${path}, found none. Check --config or COUNTERSIGN_CONFIG.`,
  );
}
