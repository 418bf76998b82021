/** Goal: Prometheus takes the shipped rules; each alert fires when it should, and not just below. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { ALERT_CASES, type AlertCase } from '../support/alert-cases.ts';
import { faultsOf } from '../support/dashboards.ts';

t.setTimeout(120_000);

const ROOT = new URL('../..', import.meta.url).pathname;
const RULES = join(ROOT, 'config/prometheus/alerts.yml');

/** Minutes that are too many to be looked at one by one. */
const A_LOT = 400;

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}
const { groups } = parse(readFileSync(RULES, 'utf8')) as {
  groups: readonly { name: string; rules: readonly Rule[] }[];
};
const ALERTS = new Map(groups.flatMap(({ rules }) => rules).map((rule) => [rule.alert, rule]));

function promtool(...args: readonly string[]): { readonly ok: boolean; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { ok: status === 0, said: `${stdout}${stderr}` };
}

t.test('promtool finds nothing wrong with rules and configuration', (t) => {
  const rules = promtool('check', 'rules', '--lint-fatal', RULES);
  t.ok(rules.ok, rules.said);
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
  const config = readFileSync(join(ROOT, 'config/prometheus/prometheus.yml'), 'utf8');
  const [folder = ''] = (parse(config) as { rule_files: readonly string[] }).rule_files;
  t.match(compose, `./config/prometheus/alerts.yml:${folder.replace('*.yml', 'alerts.yml')}:ro`);
  t.match(compose, './config/prometheus/prometheus.yml:/etc/prometheus/prometheus.yml:ro');
  const checked = promtool(
    'check',
    'config',
    '--syntax-only',
    `${ROOT}config/prometheus/prometheus.yml`,
  );
  t.ok(checked.ok, checked.said);
  t.end();
});

t.test('each alert says how bad it is, what it is, and where to read on', (t) => {
  const operations = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const sections = new Set(
    [...operations.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => anchorOf(title)),
  );
  for (const [name, { labels: own, annotations, expr }] of ALERTS) {
    t.match(own.severity, /^(?:page|ticket)$/, name);
    const { summary, description, runbook = '' } = annotations;
    t.ok((summary?.length ?? 0) > 10 && (description?.length ?? 0) > 20, `${name} explains itself`);
    t.match(description, /\.$/, name);
    const [file, anchor = ''] = runbook.split('#');
    t.equal(file, 'docs/operations.md', name);
    t.ok(sections.has(anchor), `${name}: docs/operations.md has a section #${anchor}`);
    if (!expr.startsWith('up{')) t.same(faultsOf(expr), [], name);
  }
  const runbooks = [...ALERTS.values()].map(({ annotations }) => annotations['runbook']);
  t.equal(new Set(runbooks).size, ALERTS.size, 'each has a section of its own');
  t.end();
});

t.test('each alert fires, and does not fire just below', (t) => {
  for (const alert of ALERTS.keys()) {
    t.ok(
      ALERT_CASES.some((one) => one.alert === alert),
      `${alert} is tried`,
    );
  }
  for (const { alert } of ALERT_CASES) t.ok(ALERTS.has(alert), `${alert} exists`);
  const files = [...ALERTS.values()].flatMap((rule) => {
    const own = ALERT_CASES.filter(({ alert }) => alert === rule.alert);
    const cases = {
      rule_files: [`${rule.alert}.rule.yml`],
      evaluation_interval: own.some(({ atMinute }) => atMinute > A_LOT) ? '5m' : '1m',
      tests: own.flatMap((one) => [
        trial(one, one.fires, [expectedOf(one)]),
        trial(one, one.below, []),
      ]),
    };
    return [
      [`${rule.alert}.rule.yml`, { groups: [{ name: 'alone', rules: [rule] }] }],
      [`${rule.alert}.cases.yml`, cases],
    ] as const;
  });
  // JSON is YAML.
  const folder = t.testdir(
    Object.fromEntries(files.map(([name, content]) => [name, JSON.stringify(content)])),
  );
  const cases = files.map(([name]) => name).filter((name) => name.endsWith('.cases.yml'));
  const tried = promtool('test', 'rules', ...cases.map((name) => join(folder, name)));
  t.ok(tried.ok, tried.said.replaceAll(/^Unit Testing: .*\n *SUCCESS\n/gm, ''));
  t.end();
});

function trial(
  { alert, atMinute }: AlertCase,
  series: AlertCase['fires'],
  expected: readonly unknown[],
) {
  return {
    interval: '1m',
    input_series: series.map(({ series: name, values }) => {
      return { series: name, values: values(atMinute) };
    }),
    alert_rule_test: [{ eval_time: `${atMinute}m`, alertname: alert, exp_alerts: expected }],
  };
}

function expectedOf({ alert, labels }: AlertCase) {
  const rule = ALERTS.get(alert);
  const annotations = Object.entries(rule?.annotations ?? {}).map(([name, text]) => {
    const filled = text.replace(
      /\{\{ \$labels\.(\w+) \}\}/g,
      (_, label: string) => labels[label] ?? '',
    );
    return [name, filled];
  });
  return {
    exp_labels: { ...labels, severity: rule?.labels.severity },
    exp_annotations: Object.fromEntries(annotations) as Record<string, string>,
  };
}

/** As Markdown on the usual forges makes it of a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
