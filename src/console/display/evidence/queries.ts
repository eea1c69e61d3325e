import { client } from '../../api/client.js';

/** Entries of one archive of the API, as far as their indexes fit into a URL. */
const AT_ONCE = 200;

const MEDIA_TYPE = 'application/vnd.rescind.evidence+json';

export interface EvidenceFileOf {
  readonly file: Blob;
  readonly name: string;
}

/** Asks for the evidence of one entry. Rejects with the API's problem, or if no checkpoint covers the entry yet. */
export async function askEvidence(index: string): Promise<EvidenceFileOf> {
  const { data, error } = await client.GET('/v1/entries/{index}', {
    params: { path: { index }, query: { evidence: true } },
  });
  if (data === undefined) throw error;
  if (!data.evidence)
    throw new Error(`Entry ${index} is ${data.state}: no signed checkpoint covers it yet. Ask again in a second.`);
  return {
    file: new Blob([`${JSON.stringify(data.evidence)}\n`], { type: MEDIA_TYPE }),
    name: `${index}.evidence.json`,
  };
}

/** Asks for the evidence of several entries: an archive with an evidence file a line. */
export async function askArchive(indexes: readonly string[]): Promise<EvidenceFileOf> {
  const parts: Blob[] = [];
  for (let at = 0; at < indexes.length; at += AT_ONCE) {
    const { data, error } = await client.GET('/v1/evidence', {
      params: { query: { index: indexes.slice(at, at + AT_ONCE) } },
      parseAs: 'blob',
    });
    if (data === undefined) throw error;
    parts.push(data);
  }
  return { file: new Blob(parts, { type: 'application/x-ndjson' }), name: 'evidence.jsonl' };
}
