/**
 * Where spans go. Nothing is exported by default: without an SDK the OpenTelemetry API makes spans that
 * are nobody's. A process that brings an SDK of its own, by `node --import`, gets our spans too.
 */
import {
  context,
  ROOT_CONTEXT,
  trace,
  TraceFlags,
  type Span,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api';

export interface TraceSink {
  readonly tracer: Tracer;
  /** A span that begins a trace, under this trace id; undefined: any. */
  startRoot(name: string, traceId: string | undefined, options: SpanOptions): Span;
  /** Hands on what has ended, and takes no more. */
  stop(): Promise<void>;
}

const SCOPE = 'ringfence';

/**
 * Of whatever SDK this process has. The API has no way to name the trace id of a first span, so the
 * span gets a parent elsewhere, which is the attempt itself: backends show the trace without it.
 */
export function globalTraceSink(): TraceSink {
  const tracer = trace.getTracer(SCOPE);
  return {
    tracer,
    startRoot: (name, traceId, options) => {
      if (traceId === undefined) return tracer.startSpan(name, options, ROOT_CONTEXT);
      const spanId = traceId.slice(-16);
      const parent = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
      return tracer.startSpan(name, options, trace.setSpanContext(ROOT_CONTEXT, parent));
    },
    stop: () => Promise.resolve(),
  };
}

/** A span below another one. */
export function startChild(tracer: Tracer, parent: Span, name: string, options: SpanOptions): Span {
  return tracer.startSpan(name, options, trace.setSpan(context.active(), parent));
}
