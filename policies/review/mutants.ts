import { branches, isTerm, isTest, placeText, ruleName } from './syntax.ts';
import type { Declaration, Expr, Place, RegoFile, Rule, Term } from './syntax.ts';

/**
 * Small wrong changes of rules, to see whether the tests notice. Four operators:
 * `drop_rule` a definition never holds; `drop_condition` a condition always holds; `flip_operator` a comparison or a
 * negation is turned around or moved by one; `change_constant` a literal that a condition or an answer is made of is another.
 */
export const MUTATION_OPERATORS = ['drop_rule', 'drop_condition', 'flip_operator', 'change_constant'] as const;
export type MutationOperator = (typeof MUTATION_OPERATORS)[number];

export interface Mutant {
  /** Stable as long as the rule is: operator, rule, what was changed, and a number where that comes more than once. */
  readonly id: string;
  readonly operator: MutationOperator;
  readonly rule: string;
  readonly file: string;
  readonly row: number;
  readonly before: string;
  readonly after: string;
  /** In UTF-16 code units of the source. */
  readonly start: number;
  readonly end: number;
}

const FLIPS: ReadonlyMap<string, string> = new Map([
  ['==', '!='],
  ['!=', '=='],
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
]);
/** Functions whose literal arguments decide something. */
const DECIDING = new Set(
  'equal neq lt lte gt gte internal.member_2 internal.member_3 startswith endswith contains trim_prefix trim_suffix count'.split(
    ' ',
  ),
);

/** Every mutant of the rules of one file. Tests have none. */
export function mutantsOf(file: RegoFile): Mutant[] {
  if (isTest(file)) return [];
  const lines = lineStarts(file.source);
  const found: Omit<Mutant, 'id'>[] = [];
  for (const rule of file.rules) {
    const place = (
      operator: MutationOperator,
      { row, col }: Pick<Place, 'row' | 'col'>,
      before: string,
      after: string,
    ): void => {
      const start = offsetOf(file.source, lines, row, col, before);
      if (start === null) return;
      const [end, name] = [start + before.length, ruleName(file, rule)];
      found.push({ operator, rule: name, file: file.path, row, before, after, start, end });
    };
    for (const branch of branches(rule)) new Branch(branch, file, place).mutate();
  }
  return numbered(found);
}

/** The file's source with one mutant in it. */
export function applyMutant(source: string, { start, end, after }: Mutant): string {
  return source.slice(0, start) + after + source.slice(end);
}

function numbered(mutants: readonly Omit<Mutant, 'id'>[]): Mutant[] {
  const seen = new Map<string, number>();
  return mutants.map((mutant) => {
    const what = `${mutant.operator} ${mutant.rule}: ${oneLine(mutant.before)} => ${oneLine(mutant.after)}`;
    const times = (seen.get(what) ?? 0) + 1;
    seen.set(what, times);
    return { id: times === 1 ? what : `${what} #${String(times)}`, ...mutant };
  });
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= 120 ? line : `${line.slice(0, 119)}…`;
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf('\n'); at !== -1; at = source.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** opa counts columns in bytes of the line. Null when the text is not there, as in branches opa gives the place of a whole. */
function offsetOf(source: string, lines: readonly number[], row: number, col: number, text: string): number | null {
  const start = lines[row - 1];
  if (start === undefined) return null;
  const line = source.slice(start, lines[row] ?? source.length);
  const before = Buffer.from(line)
    .subarray(0, col - 1)
    .toString('utf8').length;
  const at = start + before;
  return text !== '' && source.startsWith(text, at) ? at : null;
}

type Found = (operator: MutationOperator, place: Pick<Place, 'row' | 'col'>, before: string, after: string) => void;

class Branch {
  readonly #rule: Rule;
  readonly #file: RegoFile;
  readonly #found: Found;

  constructor(rule: Rule, file: RegoFile, found: Found) {
    this.#rule = rule;
    this.#file = file;
    this.#found = found;
  }

  mutate(): void {
    const { head, body } = this.#rule;
    if (this.#rule.default !== true) this.#drop();
    if (head.value !== undefined) this.#constants(head.value);
    this.#conditions(body);
  }

  /** A body gets one more condition; a rule without a body gets one. */
  #drop(): void {
    const { head, body } = this.#rule;
    const [first] = body;
    if (first === undefined) return;
    if (first.generated === true) {
      const text = placeText(head.location);
      this.#found('drop_rule', head.location, text, `${text} if false`);
      return;
    }
    const text = placeText(first.location);
    this.#found('drop_rule', first.location, text, this.#isBraced(first) ? `false; ${text}` : `{ false; ${text} }`);
  }

  #isBraced({ location }: Expr): boolean {
    const line = this.#file.source.split('\n')[location.row - 1] ?? '';
    const before = Buffer.from(line)
      .subarray(0, location.col - 1)
      .toString('utf8')
      .trimEnd();
    return !/\bif$/.test(before);
  }

  #conditions(body: readonly Expr[]): void {
    for (const expr of body) {
      if (expr.generated !== true) this.#condition(expr);
    }
  }

  #condition(expr: Expr): void {
    const { terms, location, negated } = expr;
    const text = placeText(location);
    const binds = isDeclaration(terms)
      ? terms.symbols !== undefined
      : Array.isArray(terms) && isBinding(terms as readonly Term[]);
    if (!binds) this.#found('drop_condition', location, text, 'true');
    if (negated === true) this.#found('flip_operator', location, text, text.replace(/^not\s+/, ''));
    if (isDeclaration(terms)) this.#conditions(terms.body ?? []);
    else if (Array.isArray(terms)) this.#call(terms as readonly Term[]);
    else if (isTerm(terms)) this.#inner(terms);
  }

  #call([operator, ...operands]: readonly Term[]): void {
    if (operator === undefined) return;
    const name = pathOf(operator);
    const sign = operator.location === undefined ? '' : placeText(operator.location);
    const flipped = FLIPS.get(sign);
    if (flipped !== undefined && operator.location !== undefined) {
      this.#found('flip_operator', operator.location, sign, flipped);
    }
    for (const operand of operands) {
      if (DECIDING.has(name)) this.#constants(operand);
      this.#inner(operand);
    }
  }

  /** Conditions inside of a term: comprehensions and calls. */
  #inner({ type, value }: Term): void {
    if (type === 'call' && Array.isArray(value)) this.#call(value as readonly Term[]);
    else if (type.endsWith('comprehension')) this.#conditions((value as { body: readonly Expr[] }).body);
    else if ((type === 'array' || type === 'set' || type === 'object') && Array.isArray(value)) {
      for (const item of (value as readonly unknown[]).flat()) if (isTerm(item)) this.#inner(item);
    }
  }

  #constants({ type, value, location }: Term): void {
    if ((type === 'array' || type === 'set') && Array.isArray(value)) {
      for (const item of value as readonly Term[]) this.#constants(item);
    }
    if (location === undefined) return;
    const text = placeText(location);
    if (type === 'string' && text.startsWith('"'))
      this.#found('change_constant', location, text, `"${'~'}${text.slice(1)}`);
    if (type === 'number') this.#found('change_constant', location, text, `${text} + 1`);
    if (type === 'boolean') this.#found('change_constant', location, text, value === true ? 'false' : 'true');
  }
}

function isDeclaration(terms: Expr['terms']): terms is Declaration {
  return !Array.isArray(terms) && !isTerm(terms);
}

/** `:=` and `=` give variables their values; without them the rest would not compile. */
function isBinding([operator]: readonly Term[]): boolean {
  const name = operator === undefined ? '' : pathOf(operator);
  return name === 'assign' || name === 'eq';
}

function pathOf({ value }: Term): string {
  return Array.isArray(value) ? (value as readonly Term[]).map((term) => String(term.value)).join('.') : '';
}
