import type { Environment, Refuse } from './environment.js';
import { isLoopback } from './loopback.js';
import { Secret } from './secret.js';

export interface TracingConfig {
  readonly endpoint: string;
  readonly headers?: Secret;
  readonly serviceName: string;
  /** Share of the traces begun here that are recorded, from 0 to 1. */
  readonly ratio: number;
}

export const DEFAULT_SERVICE_NAME = 'rescind';

/** Variables under the names that OpenTelemetry gives them. */
export const TRACING_DOCUMENTATION: Readonly<Record<string, string>> = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'URL of an OTLP collector over HTTP, such as http://127.0.0.1:4318 (default: no traces)',
  OTEL_EXPORTER_OTLP_HEADERS: 'name=value, comma-separated, percent-encoded; sent to the collector',
  OTEL_SERVICE_NAME: `name of this service in traces (default ${DEFAULT_SERVICE_NAME})`,
  OTEL_TRACES_SAMPLER_ARG:
    'part of the traces that begin here to keep, from 0 to 1 (default 1); a caller decides for its own',
};

/**
 * Reads the tracing configuration; undefined for no traces. A machine's services share these variables, so the others may be set without
 * an endpoint.
 */
export function readTracing(env: Environment, refuse: Refuse): TracingConfig | undefined {
  const endpoint = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (endpoint === undefined) return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isWhole =
    url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '';
  if (!isWhole) refuse('OTEL_EXPORTER_OTLP_ENDPOINT', 'must be an http or https URL without credentials and query');
  return Object.freeze({
    endpoint,
    ...readHeaders(env, url, refuse),
    serviceName: env['OTEL_SERVICE_NAME'] ?? DEFAULT_SERVICE_NAME,
    ratio: readRatio(env, refuse),
  });
}

function readHeaders(env: Environment, endpoint: URL | undefined, refuse: Refuse): { headers?: Secret } {
  const value = env['OTEL_EXPORTER_OTLP_HEADERS'];
  if (value === undefined) return {};
  if (!value.split(',').every((pair) => /^\s*[A-Za-z0-9-]+\s*=/.test(pair)) || !isDecodable(value)) {
    refuse('OTEL_EXPORTER_OTLP_HEADERS', 'must be name=value, comma-separated, percent-encoded');
  }
  if (endpoint?.protocol === 'http:' && !isLoopback(endpoint.hostname.replace(/^\[|\]$/g, ''))) {
    refuse('OTEL_EXPORTER_OTLP_HEADERS', 'would be shown to the network: use an https endpoint');
  }
  return { headers: new Secret(value) };
}

function isDecodable(value: string): boolean {
  try {
    // `fetch` would refuse such headers later and quote the value in its message.
    return [...new Headers(parseHeaders(value))].length > 0;
  } catch {
    return false;
  }
}

function readRatio(env: Environment, refuse: Refuse): number {
  const value = env['OTEL_TRACES_SAMPLER_ARG'];
  if (value === undefined) return 1;
  const ratio = /^\d(\.\d{1,9})?$/.test(value) ? Number(value) : Number.NaN;
  if (!(ratio >= 0 && ratio <= 1)) refuse('OTEL_TRACES_SAMPLER_ARG', 'must be a number from 0 to 1');
  return ratio;
}

export function parseHeaders(text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals).trim().toLowerCase(), decodeURIComponent(pair.slice(equals + 1).trim())];
    }),
  );
}
