import type { Output } from './output.ts';
import type { Project } from './project.ts';

/** 0 ok · 1 the thing asked about failed · 2 used wrongly · 3 could not tell. */
export type ExitCode = 0 | 1 | 2 | 3;

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface OptionSpec {
  /** Name of the value in the help; absent for a switch. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
  /** The only values accepted. */
  readonly choices?: readonly string[];
}

/** The arguments of one invocation, already checked against the verb's specification. */
export interface Arguments {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | null;
  /** The value of an option declared `required`. */
  required(name: string): string;
}

export interface VerbContext {
  readonly args: Arguments;
  readonly json: boolean;
  readonly out: Output;
  readonly project: Project;
  readonly env: NodeJS.ProcessEnv;
  /** Every verb there is. */
  readonly verbs: () => Promise<readonly Verb[]>;
  /** Wall clock, unix ms. */
  readonly now: () => number;
  /** When the process was started, unix ms. */
  readonly startedAtMs: number;
}

/** What a verb has to say: `data` with --json, `text` without. */
export interface Answer {
  readonly exit: ExitCode;
  readonly data: Json;
  readonly text: string;
}

/**
 * One verb of the command line. Everything in its help comes from here.
 *
 * @example
 * export const verb: Verb = { path: ['ledger', 'status'], summary: 'Shows …', example: 'countersign ledger status', run: … };
 */
export interface Verb {
  readonly path: readonly string[];
  readonly summary: string;
  /** Positional arguments as the help shows them: `DIR` required, `[DIR]` optional. */
  readonly positionals?: readonly string[];
  readonly options?: Readonly<Record<string, OptionSpec>>;
  readonly example: string;
  /** More lines for the help of this verb. */
  readonly details?: string;
  /** Long-running verbs print for themselves and answer null. */
  run(context: VerbContext): Promise<Answer | null>;
}

export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  config: { value: 'FILE', help: 'Configuration file; else COUNTERSIGN_CONFIG, else countersign.yaml.' },
  json: { help: 'Print one JSON document instead of text.' },
  help: { help: 'Show this help.' },
};
