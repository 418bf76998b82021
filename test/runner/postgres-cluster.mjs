/**
 * A private PostgreSQL server for one test run: made with `initdb` in a temporary folder, on a
 * loopback port of its own, gone afterwards. Durable as in production (fsync stays on), since that
 * is part of what is tested and measured. Plain JavaScript: test/run.mjs starts it as well.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian keeps each major version's programs in a folder of its own, off the PATH. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';
const USER = 'ringfence';
const PORT_TRIES = 5;
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  max_connections: '200',
  shared_buffers: '128MB',
};

/**
 * Runs the server until this pipe's far end is gone, however its starter ended, then removes the
 * data. In a shell, because the starter itself may be killed.
 */
const UNTIL_STDIN_ENDS =
  'exec 3<&0; "$@" 3<&- & server=$!; (cat <&3 >/dev/null; kill -QUIT $server 2>/dev/null) & ' +
  'wait $server; code=$?; rm -rf "$FOLDER"; exit $code';

/** Folder with initdb and postgres of version 15 or later; undefined when there is none. */
export function postgresPrograms() {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const newestFirst = versions.filter((name) => Number(name) >= 15).sort((a, b) => b - a);
  const folders = [
    ...newestFirst.map((version) => join(DEBIAN_FOLDER, version, 'bin')),
    ...(process.env.PATH ?? '').split(':'),
  ];
  return folders.find((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  );
}

/** Starts one. Resolves to its URL (a superuser's, database `postgres`) when it takes connections. */
export async function startPostgresCluster() {
  const programs = postgresPrograms();
  if (programs === undefined) {
    throw new Error('PostgreSQL 15 or later is missing: apt-get install -y postgresql');
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(programs, unprivileged());
    } catch (error) {
      // Somebody else took the port between its choice and its use.
      if (!error.message.includes('could not bind') || tries === PORT_TRIES) throw error;
    }
  }
}

async function startOnce(programs, runAs) {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-postgres-'));
  try {
    const password = randomBytes(12).toString('hex');
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    for (const path of runAs === undefined ? [] : [folder, passwordFile]) {
      chownSync(path, runAs.uid, runAs.gid);
    }
    const data = join(folder, 'data');
    initialise(programs, data, passwordFile, runAs);
    const port = await freePort();
    const stop = await startServer(programs, data, port, folder, runAs);
    return { url: `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`, stop };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** PostgreSQL refuses to run as root, so root hands over to a user who may nothing. */
function unprivileged() {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) =>
      spawnSync('id', [flag, name], { encoding: 'utf8' }),
    );
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error('no unprivileged user (postgres, nobody) to run PostgreSQL as');
}

function initialise(programs, data, passwordFile, runAs) {
  const args = ['-D', data, '-U', USER, '-E', 'UTF8', '--locale=C', '--no-sync'];
  const { status, stderr, error } = spawnSync(
    join(programs, 'initdb'),
    [...args, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
    { ...runAs, cwd: '/', encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`initdb failed: ${stderr ?? ''} ${error?.message ?? ''}`);
}

/** Resolves, once the server takes connections, to what stops it. */
async function startServer(programs, data, port, folder, runAs) {
  const settings = Object.entries({ ...SETTINGS, port }).flatMap(([k, v]) => ['-c', `${k}=${v}`]);
  const command = [join(programs, 'postgres'), '-D', data, ...settings];
  const child = spawn('/bin/sh', ['-c', UNTIL_STDIN_ENDS, 'sh', ...command], {
    ...runAs,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C', FOLDER: folder },
  });
  let log = '';
  child.stderr.setEncoding('utf8');
  const ended = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (text) => {
      if (log.length < 100_000) log += text;
      if (log.includes('ready to accept connections')) resolve();
    });
    child.once('error', reject);
    void ended.then(() => reject(new Error(`PostgreSQL did not start: ${log}`)));
  });
  // It must not keep a process alive that has nothing else to do; see UNTIL_STDIN_ENDS.
  for (const handle of [child, child.stdin, child.stderr]) handle.unref?.();
  return async () => {
    child.ref();
    child.stdin.end();
    await ended;
  };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
