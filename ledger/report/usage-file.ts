import { createReadStream } from 'node:fs';
import { LedgerError } from '../error.ts';

/** One call as a provider billed it. */
export interface BilledCall {
  readonly requestId: string;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

const ID_COLUMNS = ['request_id', 'provider_request_id', 'completion_id', 'id'];
const INPUT_COLUMNS = ['input_tokens', 'prompt_tokens', 'n_context_tokens_total'];
const OUTPUT_COLUMNS = ['output_tokens', 'completion_tokens', 'n_generated_tokens_total'];
const MAX_CELL_CHARS = 10_000;
const MAX_COLUMNS = 500;

/**
 * Reads a provider's usage export, one call a row, with a header (RFC 4180). The columns are found by name; streamed.
 *
 * @throws {LedgerError} `invalid_value` when there is no column with request ids, or a row cannot be read
 */
export async function* readUsageFile(path: string): AsyncGenerator<BilledCall> {
  let head: readonly string[] | null = null;
  let row = 0;
  for await (const cells of csvRows(path)) {
    row += 1;
    if (head === null) {
      head = cells.map((name) => name.trim().toLowerCase());
      if (!ID_COLUMNS.some((name) => head?.includes(name)))
        throw new LedgerError(
          'invalid_value',
          `expected a column ${ID_COLUMNS.join(', ')} in the usage export, found none; export it by request`,
        );
      continue;
    }
    const cell = (names: readonly string[]): string | null => {
      const index = head?.findIndex((name) => names.includes(name)) ?? -1;
      return index < 0 ? null : (cells[index]?.trim() ?? null);
    };
    const requestId = cell(ID_COLUMNS) ?? '';
    if (requestId === '')
      throw new LedgerError('invalid_value', `expected a request id in row ${String(row)}, found none`);
    yield { requestId, inputTokens: countOf(cell(INPUT_COLUMNS)), outputTokens: countOf(cell(OUTPUT_COLUMNS)) };
  }
}

function countOf(text: string | null): number | null {
  return text !== null && /^[0-9]{1,12}$/.test(text) ? Number(text) : null;
}

async function* csvRows(path: string): AsyncGenerator<string[]> {
  const reader = new CsvReader();
  for await (const chunk of createReadStream(path, { encoding: 'utf8' })) yield* reader.read(String(chunk));
  yield* reader.end();
}

/** RFC 4180 character by character; a quote opens and closes a cell, two of them inside are one. */
class CsvReader {
  #cells: string[] = [];
  #cell = '';
  #quoted = false;
  #closing = false;

  *read(text: string): Generator<string[]> {
    for (const sign of text) {
      if (this.#quoted && !this.#closing && sign !== '"') this.#add(sign);
      else if (sign === '"') this.#quote();
      else if (sign === '\n') yield* this.#row();
      else if (sign === ',') this.#next();
      else if (sign !== '\r' && sign !== '\ufeff') this.#add(sign);
    }
  }

  *end(): Generator<string[]> {
    if (this.#cell !== '' || this.#cells.length > 0) yield* this.#row();
  }

  #quote(): void {
    if (!this.#quoted) this.#quoted = true;
    else if (this.#closing) {
      this.#closing = false;
      this.#add('"');
    } else this.#closing = true;
  }

  #next(): void {
    this.#cells.push(this.#cell);
    if (this.#cells.length > MAX_COLUMNS) throw tooLarge();
    [this.#cell, this.#quoted, this.#closing] = ['', false, false];
  }

  *#row(): Generator<string[]> {
    this.#next();
    const cells = this.#cells;
    this.#cells = [];
    if (cells.length > 1 || cells[0] !== '') yield cells;
  }

  #add(sign: string): void {
    this.#cell += sign;
    if (this.#cell.length > MAX_CELL_CHARS) throw tooLarge();
  }
}

function tooLarge(): LedgerError {
  return new LedgerError(
    'invalid_value',
    `expected a CSV file with at most ${String(MAX_COLUMNS)} columns of ${String(MAX_CELL_CHARS)} characters, found more`,
  );
}
