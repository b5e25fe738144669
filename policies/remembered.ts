const REMEMBERED = 2048;
const REMEMBERED_CHARS = 8192;

/** A bounded memory in two halves: when the younger is full the older is forgotten. Long texts are not kept. */
export class Remembered<Value> {
  #young = new Map<string, Value>();
  #old: ReadonlyMap<string, Value> = new Map();

  get(text: string): Value | undefined {
    const found = this.#young.get(text);
    if (found !== undefined) return found;
    const older = this.#old.get(text);
    if (older !== undefined) this.set(text, older);
    return older;
  }

  set(text: string, value: Value): void {
    if (text.length > REMEMBERED_CHARS) return;
    if (this.#young.size >= REMEMBERED / 2) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, value);
  }
}
