import type { BundleFiles } from '../../verify/bundle-files.ts';

/** The files of a folder that somebody chose; paths begin behind the folder's own name. @param turn before each piece of a file */
export function openPicked(picked: Iterable<File>, turn: () => Promise<void>): BundleFiles {
  const files = new Map<string, File>();
  for (const file of picked) files.set(file.webkitRelativePath.split('/').slice(1).join('/'), file);
  return {
    look: (path) => Promise.resolve(files.has(path) ? 'file' : 'none'),
    list: () => pathsOf(files),
    chunks: (path) => chunksOf(files.get(path), turn),
  };
}

async function* chunksOf(file: File | undefined, turn: () => Promise<void>): AsyncGenerator<Uint8Array> {
  const reader = file?.stream().getReader();
  if (reader === undefined) return;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      await turn();
      yield next.value;
    }
  } finally {
    await reader.cancel();
  }
}

// oxlint-disable-next-line require-await -- a folder on disk has to wait for its names
async function* pathsOf(files: ReadonlyMap<string, File>): AsyncGenerator<string> {
  yield* files.keys();
}
