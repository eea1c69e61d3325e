import { parseVerifierKey, verifyEvidence, type EvidenceFile } from '../../merkle/index.js';
import { until, type Stage } from './stage.js';

/** The members that the demo reads in Rescind's answers. */
interface TokenAnswer {
  readonly index: string;
  readonly lineage: { readonly id_jags: readonly { readonly index: string }[] };
}
interface TimelineAnswer {
  readonly items: readonly {
    readonly kind: string;
    readonly index: string | null;
    readonly rule?: string;
    readonly what?: string;
  }[];
}
interface EntryAnswer {
  readonly evidence: EvidenceFile | null;
}
interface LedgerAnswer {
  readonly keys: readonly { readonly key: string }[];
}

/** Shows where a token came from. */
export async function showOrigin({ printer, analyst }: Stage, tokenId: string): Promise<void> {
  const token = await printer.step('GET /v1/tokens/{id}: where a token came from', () =>
    analyst.get<TokenAnswer>(`/v1/tokens/${tokenId}`),
  );
  const idJags = token.lineage.id_jags.map(({ index }) => index).join(', ');
  printer.detail(`token.issued is entry ${token.index}, the ID-JAG it came from entry ${idJags || '(not yet seen)'}`);
}

/** Takes the evidence of the order that blocked Bob, and checks it as an auditor does: with the file and the log's public key alone. */
export async function proveRevocation({ printer, sandbox, analyst }: Stage, rule: string): Promise<void> {
  printer.section('What an auditor can check');
  const bob = new URLSearchParams({ user_iss: sandbox.idp.issuer, user_sub: 'bob' });
  const index = await printer.step('GET /v1/timeline: the entry of the order that blocked Bob', () =>
    until('the entry of an order', async () => {
      const { items } = await analyst.get<TimelineAnswer>(`/v1/timeline?${bob}&kind=rule`);
      return items.find((item) => item.rule === rule && item.what === 'ordered')?.index ?? undefined;
    }),
  );
  const evidence = await printer.step(
    `GET /v1/entries/${index}?evidence=true, once a signed checkpoint covers it`,
    () =>
      until('a checkpoint', async () => {
        const answer = await analyst.get<EntryAnswer>(`/v1/entries/${index}?evidence=true`);
        return answer.evidence ?? undefined;
      }),
  );
  const { keys } = await printer.step("GET /v1/ledger: the log's public key, which an auditor has kept", () =>
    analyst.get<LedgerAnswer>('/v1/ledger'),
  );
  for (const { key } of keys) printer.detail(key);
  const steps = await printer.step('Verify the evidence offline, as `rescind verify` does', async () =>
    verifyEvidence(
      `${JSON.stringify(evidence)}\n`,
      keys.flatMap(({ key }) => parseVerifierKey(key) ?? []),
    ),
  );
  for (const { ok, checked, what, detail } of steps)
    if (checked) printer.check(ok, `${what}: ${detail}`);
    else printer.detail(`– ${what}: ${detail}`);
}
