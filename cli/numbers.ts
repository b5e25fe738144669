import { CliError } from './errors.ts';
import type { Arguments } from './verb.ts';

/** A whole number of at least 0; null when the option is not there. @throws {CliError} `usage` */
export function readWhole(args: Arguments, name: string): number | null {
  const text = args.text(name);
  if (text === null) return null;
  if (/^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new CliError('usage', `--${name}: expected a whole number, found "${text.slice(0, 20)}".`);
}
