import { AggregatorRegistry, Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { GroupMember, MetricDump } from '../group/index.js';

export interface Metrics {
  /** Returns the metric of that name; the same name gives the same metric. Names start with `rescind_`. */
  counter<L extends string = never>(name: string, help: string, labels?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labels?: readonly L[], collect?: () => number): Gauge<L>;
  histogram<L extends string = never>(
    name: string,
    help: string,
    labels?: readonly L[],
    buckets?: readonly number[],
  ): Histogram<L>;
  /** Adds a gauge whose label sets are all read on each scrape. */
  observed<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    read: () => Iterable<readonly [Record<L, string>, number]>,
  ): void;
  text(): Promise<string>;
  /** Returns this process's own metrics, for another process to aggregate. */
  dump(): Promise<MetricDump>;
  readonly contentType: string;
}

/** Buckets in seconds, from a hot introspection to an expired lease. */
export const DURATION_BUCKETS_S: readonly number[] = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const NAME = /^rescind_[a-z0-9_]+$/;

export interface MetricsOptions {
  /** Includes the metrics of the Node process. */
  readonly processMetrics?: boolean;
  /** Set if processes share the port: each answers for all of them, each process under the label `process`. */
  readonly member?: Pick<GroupMember, 'number' | 'collect'>;
}

export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { member } = options;
  const registry = new Registry();
  if (member) registry.setDefaultLabels({ process: String(member.number) });
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry });

  function once<T>(name: string, make: () => T): T {
    if (!NAME.test(name)) throw new TypeError(`a metric's name starts with rescind_: ${name}`);
    return (registry.getSingleMetric(name) as T | undefined) ?? make();
  }

  return {
    counter: (name, help, labels = []) =>
      once(name, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: (name, help, labels = [], collect = undefined) =>
      once(
        name,
        () =>
          new Gauge({
            name,
            help,
            labelNames: [...labels],
            registers: [registry],
            ...(collect === undefined
              ? {}
              : {
                  collect(this: Gauge): void {
                    this.set(collect());
                  },
                }),
          }),
      ),
    histogram: (name, help, labels = [], buckets = DURATION_BUCKETS_S) =>
      once(
        name,
        () => new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry] }),
      ),
    observed<L extends string>(
      name: string,
      help: string,
      labels: readonly L[],
      read: () => Iterable<readonly [Record<L, string>, number]>,
    ) {
      once(
        name,
        () =>
          new Gauge({
            name,
            help,
            labelNames: [...labels],
            registers: [registry],
            collect(this: Gauge<L>): void {
              this.reset();
              // A gauge without labels says 0 after a reset, as if 0 had been read.
              if (labels.length === 0) this.remove();
              for (const [set, value] of read()) this.set(set, value);
            },
          }),
      );
    },
    text: async () =>
      member ? AggregatorRegistry.aggregate([...(await member.collect())] as object[][]).metrics() : registry.metrics(),
    dump: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  };
}
