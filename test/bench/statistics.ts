/** The value below which the given part (0…1) of the ascending values lies, by the nearest-rank method. */
export function percentile(ascending: ArrayLike<number>, part: number): number {
  const rank = Math.max(1, Math.ceil(part * ascending.length));
  return ascending[rank - 1] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5);
}

/** Growing list of samples without an object per sample. */
export class Samples {
  #values = new Float64Array(65_536);
  #length = 0;

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  sorted(): Float64Array {
    return this.#values.slice(0, this.#length).sort();
  }
}
