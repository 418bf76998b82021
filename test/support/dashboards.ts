/** The shipped dashboards and what is queried in them, held against the tables that register metrics. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricDefinition } from '../../machines/meter.port.ts';
import { METRIC_SECTIONS } from './metrics-document.ts';

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

export interface Dashboard {
  readonly file: string;
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition: string }[];
  };
}

const FOLDER = new URL('../../config/grafana/dashboards', import.meta.url).pathname;

export function readDashboards(): readonly Dashboard[] {
  return readdirSync(FOLDER).map((file) => {
    const text = readFileSync(join(FOLDER, file), 'utf8');
    return { file, ...(JSON.parse(text) as Omit<Dashboard, 'file'>) };
  });
}

/** As Grafana asks it when all of each variable is chosen. */
export function queriesOf({ panels }: Dashboard): readonly string[] {
  return panels.flatMap(({ targets = [] }) =>
    targets.map(({ expr }) => expr.replaceAll(/\$\w+/g, '.*')),
  );
}

const METRICS = new Map<string, MetricDefinition>(
  METRIC_SECTIONS.flatMap(({ table }) => Object.values(table)).map((one) => [one.name, one]),
);
const FAMILIES = [
  ...new Set([...METRICS.keys()].map((name) => name.slice(0, name.indexOf('_')))),
].join('|');
/** A metric, what is asked of it before, and its matchers. */
const SELECTOR = new RegExp(`(\\w+\\()?\\b((?:${FAMILIES})_[a-z_]+)\\b(?:\\{([^}]*)\\})?`, 'g');
/** What Prometheus adds to every series that it scrapes. */
const SCRAPED = ['job', 'instance'];

interface Asked {
  readonly name: string;
  readonly metric: MetricDefinition | undefined;
  readonly part: string;
  readonly within: string;
  readonly matchers: readonly string[];
}

/** Names of the metrics in a query. */
export function metricsIn(query: string): readonly string[] {
  return askedIn(query).map(({ name }) => name);
}

function askedIn(query: string): readonly Asked[] {
  return [...query.matchAll(SELECTOR)].map(([, within = '', series = '', matchers = '']) => {
    const [, base = series, part = ''] = /^(.*?)(?:_(bucket|count|sum))?$/.exec(series) ?? [];
    const name = METRICS.has(series) ? series : base;
    return {
      ...{ name, metric: METRICS.get(name), within },
      part: METRICS.has(series) ? '' : part,
      matchers: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    };
  });
}

/** What is wrong with a query, and with the labels that its legend shows; empty: nothing is. */
export function faultsOf(query: string, legend = ''): readonly string[] {
  const asked = askedIn(query);
  const known = new Set(asked.flatMap((one) => labelsOf(one)));
  const grouped = [...query.matchAll(/\b(by|on) \(([^)]*)\)/g)].map(([, how, labels = '']) => {
    return { how, labels: labels.split(',').map((label) => label.trim()) };
  });
  const kept = grouped.filter(({ how }) => how === 'by').flatMap(({ labels }) => labels);
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
  const visible = kept.length > 0 ? kept : [...known, ...SCRAPED];
  return [
    ...(asked.length === 0 ? [`no metric of ours in ${query}`] : []),
    ...asked.flatMap(faultsOfSelector),
    ...grouped.flatMap(({ labels }) => labels.filter((label) => !known.has(label))).map(unknown),
    ...shown.filter((label) => !visible.includes(label)).map((label) => `no {{${label}}} to show`),
  ];
}

function labelsOf({ metric, part }: Asked): readonly string[] {
  return [...(metric?.labels ?? []), ...(part === 'bucket' ? ['le'] : [])];
}

function faultsOfSelector(asked: Asked): string[] {
  const { name, metric, part, within, matchers } = asked;
  if (metric === undefined) return [`there is no metric ${name}`];
  const isHistogram = metric.type === 'histogram';
  const isGrowing = metric.type !== 'gauge';
  const isOverTime = within === 'rate(' || within === 'increase(';
  const allowed = [...labelsOf(asked), ...SCRAPED];
  return [
    ...(isHistogram === (part !== '') ? [] : [`${name} is a ${metric.type}`]),
    ...(isGrowing === isOverTime
      ? []
      : [`${name}, a ${metric.type}, in ${within || 'no function'}`]),
    ...matchers.filter((label) => !allowed.includes(label)).map(unknown),
  ];
}

function unknown(label: string): string {
  return `there is no label ${label}`;
}
