import type { Selector } from '../../rules/index.js';
import { until, type Stage } from './stage.js';

/** The members that the demo reads in the answer of `GET /v1/findings`. */
interface FindingsAnswer {
  readonly items: readonly {
    readonly id: string;
    readonly severity: string;
    readonly says: string;
    readonly means: string;
    readonly found_at: string;
    readonly client: { readonly iss: string } | null;
    readonly stop: { readonly selector: Selector; readonly command: string } | null;
  }[];
}

/** Shows what the detections found about the export, and returns the rule that stops it. */
export async function showExportFound(
  { printer, sandbox, analyst }: Stage,
  exportedMs: number,
): Promise<{ readonly selector: Selector; readonly reason: string }> {
  const { issuer } = sandbox.apps.crm;
  const finding = await printer.step('GET /v1/findings: nobody asked, and the export was found', () =>
    until('the finding about the export', async () => {
      const { items } = await analyst.get<FindingsAnswer>('/v1/findings?state=open&kind=bulk-export');
      return items.find(({ client }) => client?.iss === issuer);
    }),
  );
  const { id, severity, says, means, found_at: found, stop } = finding;
  printer.detail(`${severity}: ${says}`);
  printer.detail(means);
  printer.check(
    stop !== null,
    `found ${seconds(Date.parse(found) - exportedMs)} after the export, with the rule that stops it:`,
  );
  printer.detail(stop!.command);
  return { selector: stop!.selector, reason: `finding ${id}` };
}

const seconds = (ms: number): string => `${Math.max(0, ms / 1_000).toFixed(1)} s`;
