/**
 * Spans through an SDK of our own, to a collector that speaks OTLP over HTTP. The packages are
 * optional: they are loaded when the configuration asks for them, and are named when they are missing.
 */
import type { SpanOptions } from '@opentelemetry/api';
import type { IdGenerator, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { DialerError } from '../../machines/errors.ts';
import type { TraceSink } from './trace-sink.ts';

export interface TraceService {
  /** `service.instance.id`: the dialer's. */
  readonly instanceId: string;
}

/** Throws CONFIG_INVALID when a package is missing. */
export async function otlpTraceSink(url: string, service: TraceService): Promise<TraceSink> {
  const { OTLPTraceExporter } = await optional(
    () => import('@opentelemetry/exporter-trace-otlp-http'),
  );
  const { BatchSpanProcessor } = await optional(() => import('@opentelemetry/sdk-trace-base'));
  return sdkTraceSink([new BatchSpanProcessor(new OTLPTraceExporter({ url }))], service);
}

export async function sdkTraceSink(
  spanProcessors: SpanProcessor[],
  { instanceId }: TraceService,
): Promise<TraceSink> {
  const sdk = await optional(() => import('@opentelemetry/sdk-trace-base'));
  const { resourceFromAttributes } = await optional(() => import('@opentelemetry/resources'));
  const random = new sdk.RandomIdGenerator();
  // Asked for at once by a span without a parent, in the same call that starts it.
  let nextTraceId: string | undefined;
  const idGenerator: IdGenerator = {
    generateTraceId: () => nextTraceId ?? random.generateTraceId(),
    generateSpanId: () => random.generateSpanId(),
  };
  const resource = resourceFromAttributes({
    'service.name': 'ringfence',
    'service.instance.id': instanceId,
  });
  const provider = new sdk.BasicTracerProvider({ idGenerator, resource, spanProcessors });
  const tracer = provider.getTracer('ringfence');
  return {
    tracer,
    startRoot: (name: string, traceId: string | undefined, options: SpanOptions) => {
      nextTraceId = traceId;
      const span = tracer.startSpan(name, { ...options, root: true });
      nextTraceId = undefined;
      return span;
    },
    stop: () => provider.shutdown(),
  };
}

async function optional<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new DialerError(
      'CONFIG_INVALID',
      'traces.otlpUrl needs packages that are not installed (docs/operations.md names them)',
      { cause: error },
    );
  }
}
