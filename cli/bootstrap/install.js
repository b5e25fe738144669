import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BootstrapError } from './error.js';
import { runProgram } from './process.js';

/** Whether node_modules is exactly what package-lock.json asks for, on this platform. */
export function isInstalled(root) {
  return readText(stampPath(root)) === wantedStamp(root);
}

/**
 * Brings node_modules to what the lock file says; does nothing when it already is.
 * @param {string} root
 * @param {(line: string) => void} say
 */
export async function ensureInstalled(root, say) {
  if (isInstalled(root)) return;
  if (!matchesLock(root)) await install(root, say);
  writeFileSync(stampPath(root), wantedStamp(root));
}

function stampPath(root) {
  return join(root, 'node_modules', '.countersign-stamp');
}

function wantedStamp(root) {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}\n`;
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw error;
  }
}

/** True after somebody ran npm by hand: npm leaves a list of what it installed, which must hold all we need. */
function matchesLock(root) {
  const text = readText(join(root, 'node_modules', '.package-lock.json'));
  if (text === null) return false;
  const installed = JSON.parse(text).packages ?? {};
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true;
    if (installed[path] === undefined) return optional === true && !isForThisPlatform(wanted[path]);
    return installed[path].version === version && existsSync(join(root, path));
  });
}

function isForThisPlatform({ os, cpu, libc }) {
  // Packages per C library come in pairs, of which npm installs one.
  if (libc !== undefined) return false;
  return (os === undefined || os.includes(process.platform)) && (cpu === undefined || cpu.includes(process.arch));
}

async function install(root, say) {
  const cache = privateCache();
  say('Installing packages (the first time takes about a minute)…');
  const [command, args] = npmCommand();
  const started = Date.now();
  // Compiler and database binaries are part of a clone, whatever the caller's npm settings omit.
  const options = ['--include=dev', '--include=optional', ...(cache === null ? [] : ['--cache', cache])];
  const { status, output } = await runProgram(command, [...args, 'ci', ...options], {
    cwd: root,
    progress: (seconds) => say(`  still installing (${seconds} s)…`),
  });
  if (cache !== null) rmSync(cache, { recursive: true, force: true });
  if (status !== 0) throw new BootstrapError(explain(status, output));
  say(`Installed in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
}

/** npm keeps a cache below the home folder; some accounts have none. */
function privateCache() {
  if (process.env.npm_config_cache !== undefined && isWritable(process.env.npm_config_cache)) return null;
  return isWritable(homedir()) ? null : mkdtempSync(join(tmpdir(), 'countersign-npm-'));
}

function isWritable(folder) {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The npm that runs us, else the one beside Node, else the one on PATH. */
function npmCommand() {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  const cli = [process.env.npm_execpath, beside].find((path) => path?.endsWith('npm-cli.js') && existsSync(path));
  return cli === undefined ? ['npm', []] : [process.execPath, [cli]];
}

const CAUSES = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network/,
    'the package registry could not be reached. Check the network, or npm\'s "registry" and "proxy" settings',
  ],
  [/\bE40[13]\b/, 'the package registry refused the login. Check npm\'s "registry" setting and its token'],
  [/EUSAGE|can only install packages when/, 'package.json and package-lock.json disagree. Restore both files from git'],
  [/EINTEGRITY/, 'a downloaded package is not the one in package-lock.json. Run "npm cache verify" and try again'],
  [/ENOSPC/, 'the disk is full; about 1 GB is needed'],
  [/EACCES|EPERM|EROFS/, 'a folder cannot be written. Run once as the owner of this folder'],
];

function explain(status, output) {
  const tail = output.trim().split('\n').slice(-15).join('\n  ');
  if (status === -1)
    return `npm could not be started (${tail}). It comes with Node: install Node with npm, then start again.`;
  const cause = CAUSES.find(([pattern]) => pattern.test(output))?.[1] ?? 'see its last lines below';
  return `npm ci failed: ${cause}.\n  ${tail}`;
}
