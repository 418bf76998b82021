/** Certificates for one test run, made by openssl: nothing in the repository can expire. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface IssuedCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** PEM texts of the files. */
  readonly certificate: string;
  readonly key: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** An authority of its own, in a folder of its own. */
export class TestAuthority {
  readonly authoritiesFile: string;
  readonly authorities: string;
  readonly #folder: string;
  #issued = 0;

  static async create(): Promise<TestAuthority> {
    const folder = await mkdtemp(join(tmpdir(), 'ringfence-tls-'));
    const [key, certificate] = [join(folder, 'ca.key'), join(folder, 'ca.pem')];
    const subject = ['-subj', '/CN=Test authority', '-days', '1'];
    await run('openssl', ['req', '-x509', ...KEY, '-keyout', key, '-out', certificate, ...subject]);
    return new TestAuthority(folder, certificate, await readFile(certificate, 'utf8'));
  }

  private constructor(folder: string, authoritiesFile: string, authorities: string) {
    this.#folder = folder;
    this.authoritiesFile = authoritiesFile;
    this.authorities = authorities;
  }

  /** For names and addresses as they stand in a subjectAltName: `DNS:sbc.test`, `IP:127.0.0.1`. */
  async issue(...names: readonly string[]): Promise<IssuedCertificate> {
    this.#issued += 1;
    const path = join(this.#folder, `issued-${this.#issued}`);
    const [keyFile, certificateFile] = [`${path}.key`, `${path}.pem`];
    await run('openssl', [
      ...['req', '-x509', ...KEY, '-keyout', keyFile, '-out', certificateFile, '-days', '1'],
      ...['-CA', this.authoritiesFile, '-CAkey', join(this.#folder, 'ca.key')],
      ...['-subj', '/CN=Test server', '-addext', `subjectAltName=${names.join(',')}`],
      ...['-addext', 'basicConstraints=critical,CA:FALSE'],
    ]);
    const [certificate, key] = await Promise.all([
      readFile(certificateFile, 'utf8'),
      readFile(keyFile, 'utf8'),
    ]);
    return { certificateFile, keyFile, certificate, key };
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
