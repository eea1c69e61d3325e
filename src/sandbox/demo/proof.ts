import { commitment, encodeEntry, leafHash } from '../../merkle/index.js';
import type { Stage } from './stage.js';

/** The members that the demo reads in the answers of `GET /v1/tokens/{id}` and `GET /v1/entries/{index}`. Bytes are base64. */
interface TokenAnswer {
  readonly index: string;
  readonly lineage: { readonly id_jags: readonly { readonly index: string }[] };
}
interface EntryAnswer {
  readonly index: string;
  readonly arrival: string;
  readonly type: string;
  readonly source: { readonly id: string; readonly name: string | null };
  readonly commitment: string;
  readonly leaf_hash: string;
  readonly payload: { readonly salt: string; readonly attributes: string; readonly bytes: string } | null;
}

/** Recomputes the commitment and the leaf hash of one token's issuance, from nothing but what Rescind serves. */
export async function proveEntry(stage: Stage, tokenId: string): Promise<void> {
  const { printer, analyst } = stage;
  printer.section('What an auditor can check');
  const token = await printer.step('GET /v1/tokens/{id}: where a token came from', () =>
    analyst.get<TokenAnswer>(`/v1/tokens/${tokenId}`),
  );
  const idJags = token.lineage.id_jags.map(({ index }) => index).join(', ');
  printer.detail(`token.issued is entry ${token.index}, the ID-JAG it came from entry ${idJags || '(not yet seen)'}`);

  const entry = await printer.step(`GET /v1/entries/${token.index}: the entry and its payload`, () =>
    analyst.get<EntryAnswer>(`/v1/entries/${token.index}`),
  );
  if (entry.payload === null) throw new Error('the payload was erased');
  const [salt, attributes, bytes] = [entry.payload.salt, entry.payload.attributes, entry.payload.bytes].map((text) =>
    Buffer.from(text, 'base64'),
  ) as [Buffer, Buffer, Buffer];
  const computed = await printer.step('Recompute its commitment and leaf hash', async () => {
    const committed = commitment({ salt, attributes, bytes });
    const encoded = encodeEntry({
      index: BigInt(entry.index),
      arrivalMs: BigInt(Date.parse(entry.arrival)),
      type: entry.type,
      source: entry.source.id,
      commitment: committed,
    });
    return { commitment: committed.toString('base64'), leafHash: leafHash(encoded).toString('base64') };
  });
  printer.detail(
    `${entry.type} from ${entry.source.name}: salt, ${attributes.length} bytes of attributes, ${bytes.length} bytes as they came`,
  );
  printer.check(computed.commitment === entry.commitment, `commitment ${computed.commitment}`);
  printer.check(computed.leafHash === entry.leaf_hash, `leaf hash  ${computed.leafHash}`);
}
