/** The shipped deployment: nothing in it has a password of its own, and nothing starts without yours. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { isWellKnownSecret } from '../../config/well-known-secrets.ts';
import { JOURNEY_METRICS } from '../../dialer/metrics/journey-metrics.ts';
import { PACING_METRICS } from '../../dialer/metrics/pacing-metrics.ts';
import { REPRESENTATIVE_METRICS } from '../../dialer/metrics/representative-metrics.ts';
import type { MetricTable } from '../../machines/meter.port.ts';
import { faultsOf, metricsIn, readDashboards, type Panel } from '../support/dashboards.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const filesBelow = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length));

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly network_mode?: string;
  readonly environment?: Record<string, string>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes?: readonly string[];
  readonly depends_on?: Record<string, { readonly condition: string }>;
}
const COMPOSE = read('docker-compose.yml');
const { services, volumes } = parse(COMPOSE, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const SECRETS = [
  'RINGFENCE_DRACHTIO_SECRET',
  'RINGFENCE_FREESWITCH_PASSWORD',
  'POSTGRES_PASSWORD',
  'REDIS_PASSWORD',
  'GRAFANA_ADMIN_PASSWORD',
];
const DEPLOYMENT = [
  ...['docker-compose.yml', 'Dockerfile', 'config/drachtio.conf.xml'],
  ...['config/freeswitch', 'config/grafana', 'config/prometheus'].flatMap(filesBelow),
];

/** Interpolation as the Compose specification has it, for what the file uses of it. */
function interpolated(text: string, environment: Record<string, string>): string {
  return text.replace(
    /\$\$|\$\{([A-Z_]+)(:\?[^}]*)?\}|\$/g,
    (whole, name?: string, need?: string) => {
      if (whole === '$$') return '$';
      if (name === undefined) throw new Error('a bare $ is not allowed');
      const value = environment[name] ?? '';
      if (value === '' && need !== undefined)
        throw new Error(`required variable ${name} is missing`);
      return value;
    },
  );
}

t.test('compose does not start while a secret or the address is unset or empty', (t) => {
  const text = COMPOSE.replace(/^\s*#.*$/gm, '');
  const all = Object.fromEntries([...SECRETS, 'RINGFENCE_ADDRESS'].map((name) => [name, 'x1']));
  t.doesNotThrow(() => interpolated(text, all));
  for (const name of Object.keys(all)) {
    const missing = new RegExp(`required variable ${name} is missing`);
    t.throws(() => interpolated(text, { ...all, [name]: '' }), missing);
    const others = Object.entries(all).filter(([other]) => other !== name);
    t.throws(() => interpolated(text, Object.fromEntries(others)), missing);
  }
  t.notMatch(text, /\$\{[A-Z_]+(?:\}|:-|-)/, 'no variable has a default');
  t.end();
});

t.test('no deployment file holds a password that everybody knows, or any', (t) => {
  for (const path of DEPLOYMENT) {
    if (path.endsWith('start.sh')) continue; // it lists what it refuses
    const text = read(path)
      .replace(/<!--[\s\S]*?-->|^\s*#.*$/gm, '')
      .replace(/\$\{[^}]*\}/g, '$');
    t.notMatch(text, /clue ?con|cymru|jambonz|changeme/i, path);
    for (const [, value = ''] of text.matchAll(
      /(?:secret|password)[a-z_]*["']?\s*(?:value)?\s*[:=]\s*["']?([^\s"']+)/gi,
    )) {
      const isReference = /^\$|^\|$|^printf$|^cat$/.test(value);
      t.ok(isReference, `${path}: ${value} is a reference, or a bar`);
      t.notOk(isWellKnownSecret(value), path);
    }
  }
  t.end();
});

t.test('images are pinned, services are checked, volumes are there', (t) => {
  for (const [name, service] of Object.entries(services)) {
    t.match(service.image, /^[a-z/.-]+:v?\d+\.\d+\.\d+[\w.-]*$|^[a-z/]+:\d+\.\d+-\w+$/, name);
    t.equal(service.network_mode, 'host', name);
    t.ok((service.healthcheck?.test.length ?? 0) > 1, `${name} has a health check`);
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('./config/')) t.doesNotThrow(() => readdirOrRead(source), source);
      else if (!source.startsWith('./')) t.ok(source in volumes, `${source} is declared`);
    }
    for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
      t.ok(needed in services);
      t.equal(condition, 'service_healthy');
    }
  }
  for (const part of ['postgres', 'redis', 'prometheus', 'grafana', 'drachtio', 'freeswitch']) {
    t.ok(part in services, part);
  }
  t.end();
});

function readdirOrRead(path: string): void {
  if (/\.\w+$/.test(path)) read(path);
  else readdirSync(join(ROOT, path));
}

t.test('the image runs as a numeric user that is not root, from pinned bases', (t) => {
  const stages = read('Dockerfile').split(/^(?=FROM )/m);
  const last = stages.at(-1) ?? '';
  t.ok(stages.filter((stage) => stage.startsWith('FROM ')).length >= 3, 'multi-stage');
  t.match(last, /^USER [1-9]\d*:[1-9]\d*$/m);
  t.notMatch(last, /npm (?:ci|install)|COPY \. /, 'neither sources nor a build in it');
  const bases = [...read('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
  for (const base of bases) t.match(base, /^(?:node:\d+\.\d+\.\d+-[\w-]+|dependencies)$/);
  const { bin } = JSON.parse(read('package.json')) as { bin: { ringfence: string } };
  t.match(last, `"${bin.ringfence}"`);
  const ignored = read('.dockerignore');
  t.match(ignored, /^\*$/m, 'what is not named stays out');
  for (const needed of [...read('Dockerfile').matchAll(/^COPY ([a-z].*) \.\/$/gm)]) {
    for (const file of (needed[1] ?? '').split(' ')) t.match(ignored, `!${file}`);
  }
  t.end();
});

t.test('FreeSWITCH is not started without a password of one’s own', (t) => {
  const start = (password?: string) =>
    spawnSync('sh', [join(ROOT, 'config/freeswitch/start.sh')], {
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'] ?? '',
        FREESWITCH: 'echo',
        FREESWITCH_STATE: t.testdir(),
        ...(password === undefined ? {} : { RINGFENCE_FREESWITCH_PASSWORD: password }),
      },
    });
  for (const bad of [undefined, '', 'ClueCon', 'changeme', 'short', 'with spaces in it']) {
    const { status, stderr, stdout } = start(bad);
    t.not(status, 0, String(bad));
    t.match(stderr, 'RINGFENCE_FREESWITCH_PASSWORD');
    t.equal(stdout, '', 'nothing was started');
  }
  const { status, stdout } = start('0123456789abcdef');
  t.equal(status, 0);
  t.match(stdout, /-nonat .*-conf \S+config\/freeswitch /);
  t.notMatch(stdout, '0123456789abcdef', 'not on the command line, where everybody can read it');
  t.end();
});

t.test('FreeSWITCH’s configuration is well formed and holds what the gateway needs', (t) => {
  const xml = [...filesBelow('config/freeswitch'), 'config/drachtio.conf.xml'].filter((path) =>
    path.endsWith('.xml'),
  );
  for (const path of xml) t.same(unclosedTags(read(path)), [], path);
  t.ok(xml.length > 10);
  t.match(read('config/freeswitch/vars.xml'), 'data="rtp_secure_media=forbidden"');
  t.match(
    read('config/freeswitch/dialplan/mrf.xml'),
    /<context name="mrf_srtp">[\s\S]*rtp_secure_media=mandatory:AES_CM_128_HMAC_SHA1_80/,
  );
  t.match(read('config/freeswitch/sip_profiles/drachtio_mrf.xml'), '<profile name="drachtio_mrf">');
  for (const file of ['drachtio_mrf', 'drachtio_mrf_srtp']) {
    const profile = read(`config/freeswitch/sip_profiles/${file}.xml`);
    // An offer to an INVITE without SDP is made before the dialplan could ask for SRTP.
    t.match(profile, `name="enable-3pcc" value="${file === 'drachtio_mrf'}"`);
    t.match(profile, 'name="apply-inbound-acl" value="peers"');
  }
  t.match(
    read('config/freeswitch/autoload_configs/event_socket.conf.xml'),
    'name="apply-inbound-acl" value="peers"',
  );
  const rate = /"sessions-per-second" value="(\d+)"/.exec(
    read('config/freeswitch/autoload_configs/switch.conf.xml'),
  )?.[1];
  t.ok(Number(rate) >= 100, 'the default of 30 would refuse a dialer');
  t.end();
});

/** Names of elements that are opened and not closed, or the other way round. */
function unclosedTags(xml: string): string[] {
  const open: string[] = [];
  const text = xml.replace(/<!--[\s\S]*?-->|<\?[\s\S]*?\?>/g, '');
  for (const [, closing, name = '', rest = ''] of text.matchAll(
    /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w-]+="[^"<]*")*\s*\/?)>/g,
  )) {
    if (closing === '/' && open.pop() !== name) return [`/${name}`];
    if (closing === '' && !rest.endsWith('/')) open.push(name);
  }
  const left = text.replace(/<\/?[A-Za-z][\w-]*(?:\s+[\w-]+="[^"<]*")*\s*\/?>/g, '');
  return left.includes('<') ? [...open, left.slice(left.indexOf('<')).slice(0, 40)] : open;
}

t.test('every panel shows metrics that there are, by labels that they have', (t) => {
  const dashboards = readDashboards();
  const shown = new Set<string>();
  for (const { file, panels, templating } of dashboards) {
    for (const panel of panels.filter(({ type }) => type !== 'row')) {
      const what = `${file}: ${panel.title}`;
      t.equal(panel.datasource?.uid, 'prometheus', what);
      t.match(panel.fieldConfig?.defaults.unit, /^\w+$/, `${what} has a unit`);
      t.match(panel.description, /^[A-Z0-9].*\.$/, `${what} says what it shows`);
      t.ok((panel.targets?.length ?? 0) > 0, `${what} shows something`);
      for (const { expr, legendFormat } of panel.targets ?? []) {
        t.same(faultsOf(expr, legendFormat), [], `${what}: ${expr}`);
        for (const name of metricsIn(expr)) shown.add(name);
        const variables = [...expr.matchAll(/\$(\w+)/g)].map(([, name]) => name);
        const declared = templating.list.map(({ name }) => name);
        for (const name of variables) t.ok(declared.includes(name ?? ''), `${what}: $${name}`);
      }
    }
    for (const { name, definition } of templating.list) {
      const [, metric = '', label = ''] = /^label_values\((\w+), (\w+)\)$/.exec(definition) ?? [];
      t.same(faultsOf(`sum by (${label}) (${metric})`), [], `${file}: $${name}`);
    }
    t.same(overlapping(panels), [], `${file}: each panel has a place of its own`);
    t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, `${file}: and an id`);
  }
  t.equal(new Set(dashboards.map(({ uid }) => uid)).size, dashboards.length);
  const tables: readonly MetricTable[] = [
    ...[JOURNEY_METRICS, PACING_METRICS, REPRESENTATIVE_METRICS],
  ];
  for (const { name } of tables.flatMap((table) => Object.values(table))) {
    t.ok(shown.has(name), `${name} is on a dashboard`);
  }
  t.match(read('config/grafana/provisioning/datasources/prometheus.yml'), 'uid: prometheus');
  const { scrape_configs: jobs } = parse(read('config/prometheus/prometheus.yml')) as {
    scrape_configs: { job_name: string }[];
  };
  t.same(
    jobs.map(({ job_name: name }) => name),
    ['ringfence', 'drachtio'],
  );
  t.end();
});

t.test('a query is held against the tables: names, types, labels, legend', (t) => {
  const wrong: readonly (readonly [query: string, fault: RegExp, legend?: string])[] = [
    ['sum(dialer_no_such_total)', /no metric dialer_no_such_total/],
    ['rate(dialer_attempts_total{colour="red"}[5m])', /no label colour/],
    ['sum by (colour) (rate(dialer_attempts_total[5m]))', /no label colour/],
    ['dialer_attempts_total', /dialer_attempts_total, a counter, in no function/],
    ['rate(dialer_tasks[5m])', /dialer_tasks, a gauge, in rate/],
    ['rate(dialer_claim_seconds[5m])', /dialer_claim_seconds is a histogram/],
    ['rate(dialer_tasks_bucket[5m])', /dialer_tasks is a gauge/],
    ['sum by (result) (rate(dialer_attempts_total[5m]))', /no \{\{mode\}\} to show/, '{{mode}}'],
    ['up', /no metric of ours/],
  ];
  for (const [query, fault, legend] of wrong) t.match(faultsOf(query, legend).join(), fault, query);
  t.end();
});

function overlapping(panels: readonly Panel[]): string[] {
  const taken = new Map<string, string>();
  return panels.flatMap(({ title, gridPos: { x, y, w, h } }) => {
    const cells = Array.from(
      { length: w * h },
      (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`,
    );
    const others = cells.map((cell) => taken.get(cell)).filter((other) => other !== undefined);
    for (const cell of cells) taken.set(cell, title);
    return x + w > 24 ? [`${title} is too wide`] : [...new Set(others)];
  });
}
