/** Where the files of an export go: to disk as they are written, or into a comparison when an export is checked. */
export interface OutFolder {
  /** @param path with `/`, of our own making */
  open(path: string): Promise<OutFile>;
  write(path: string, data: string | Uint8Array): Promise<void>;
}

/** One file, piece by piece; what was written is whole only once it is closed. */
export interface OutFile {
  write(data: string | Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A file's digest and length, as the manifest lists it. */
export interface WrittenFile {
  readonly bytes: number;
  /** Lower hex. */
  readonly sha256: string;
}
