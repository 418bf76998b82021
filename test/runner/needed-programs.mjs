/**
 * Programs the tests drive that npm cannot install. A suite whose program is missing would prove
 * nothing, so it is installed or the run ends: a test is never left out in silence.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { postgresPrograms } from './postgres-cluster.mjs';

/** One row per Debian package: the program that proves it present, and the folders that need it. */
const PACKAGES = [
  { name: 'sip-tester', program: 'sipp', folders: ['e2e', 'faults', 'long'] },
  { name: 'postgresql', program: 'postgres', folders: ['integration', 'e2e', 'faults', 'long'] },
  { name: 'redis-server', program: 'redis-server', folders: ['integration', 'faults', 'long'] },
  { name: 'prometheus', program: 'promtool', folders: ['e2e'] },
];

/** The packages the named folders of test/ need and this machine lacks. */
export function missingPackages(folders, hasProgram = isInstalled) {
  return PACKAGES.filter(
    ({ program, folders: users }) =>
      users.some((folder) => folders.includes(folder)) && !hasProgram(program),
  ).map(({ name }) => name);
}

/** Installs with apt as root or by sudo that asks no password. Returns what to tell, or null. */
export function install(packages) {
  const command = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const mayInstall =
    isOnPath('apt-get') && (prefix.length === 0 || spawnSync('sudo', ['-n', 'true']).status === 0);
  if (mayInstall) {
    console.log(`installing ${packages.join(', ')}: ${command}`);
    run([...prefix, 'apt-get', 'update']); // a stale or unreachable index may still do
    run([...prefix, 'apt-get', 'install', '-y', '--no-install-recommends', ...packages]);
  }
  const stillMissing = PACKAGES.filter(
    ({ name, program }) => packages.includes(name) && !isInstalled(program),
  );
  if (stillMissing.length === 0) return null;
  const programs = stillMissing.map(({ program }) => program).join(', ');
  return `The tests need ${programs}, which this machine lacks. Run this as root, then try again:\n  ${command}`;
}

function run([program, ...args]) {
  spawnSync(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Debian keeps PostgreSQL's server off the PATH. */
function isInstalled(program) {
  return program === 'postgres' ? postgresPrograms() !== undefined : isOnPath(program);
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
