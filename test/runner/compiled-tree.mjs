/**
 * The whole repository with its TypeScript compiled, in a folder of its own below .tap: every file by a
 * hard link to it, and beside each TypeScript file plain JavaScript. Like a built package it lies in `dist`,
 * with what is not compiled beside that too. Tests and the processes and threads they start then begin in
 * half of the time that loading each file through tsx takes. Types are checked elsewhere (`npm run types`).
 *
 * Below the repository, so that packages are found; one folder a run, so that runs do not meet.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** As esbuild prints them. */
const OWN_IMPORT = /\b((?:from|import) ?\(?")(\.{1,2}\/[^"\n]+)\.ts"/g;

/** Resolves to the folder and to what removes it. */
export async function compiledTree() {
  mkdirSync(join(ROOT, '.tap'), { recursive: true });
  const around = mkdtempSync(join(ROOT, '.tap', 'compiled-'));
  const folder = join(around, 'dist');
  const files = sourceFiles();
  for (const name of new Set(files.map((file) => file.split('/')[0]))) {
    symlinkSync(join(ROOT, name), join(around, name));
  }
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    linkSync(join(ROOT, file), join(folder, file));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: files.filter((file) => /(?<!\.d)\.ts$/.test(file)),
    outdir: folder,
    outbase: ROOT,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    write: false,
    logLevel: 'warning',
  });
  for (const { path, text } of outputFiles) {
    writeFileSync(path, text.replaceAll(OWN_IMPORT, '$1$2.js"'));
  }
  // Its process would stay, with all that it read.
  await stop();
  return { folder, remove: () => rmSync(around, { recursive: true, force: true }) };
}

/** Where the compiled form of a file of the repository lies. */
export function compiled(folder, file) {
  return join(folder, file.replace(/\.ts$/, '.js'));
}

/** All that is there and is, or could be, committed. */
function sourceFiles() {
  const git = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  if (git.status !== 0) throw new Error(`git ls-files: ${git.stderr}`);
  return git.stdout.split('\0').filter((file) => file !== '' && existsSync(join(ROOT, file)));
}
