import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compactVerify, importJWK, type JWK } from 'jose';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { buildEvent } from '../../../src/emit/index.js';
import type { FindingItem } from '../../../src/findings/index.js';
import { parseEvidence, parseVerifierKey, verifyEvidence, type EvidenceFile } from '../../../src/merkle/index.js';
import { createRescindAdmin, type RescindAdmin } from '../../../src/sandbox/index.js';
import { cleanUp } from '../../support/cleanups.js';
import { startOwnRescind, type OwnRescind } from '../../support/rescind.js';
import { batchOf, makeProducerKey, setOf, type ProducerKey } from '../../support/signed.js';
import { access, API, RAS, token } from '../../support/stage.js';
import { createCli } from '../registry/cli-fixture.js';

const CHAT = `${RAS}/chat`;
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'] as const;

let own: OwnRescind;
let admin: RescindAdmin;
let audience: string;
let vkey: string;
let directory: string;
const secrets: Record<string, string> = {};
const keys: Record<string, ProducerKey> = {};
/** Index of the SET of each algorithm. */
const sets: Record<string, string> = {};
let batch: readonly string[];
let says: ReturnType<typeof createCli>;

const cleanups = cleanUp(afterAll);
beforeAll(async () => {
  own = await startOwnRescind(cleanups);
  directory = await mkdtemp(join(tmpdir(), `rescind-test-${process.pid}-`));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  says = createCli(own.home);
  admin = createRescindAdmin(own.rescind.url, own.rescind.adminKey!);
  for (const alg of ALGORITHMS) keys[alg] = await makeProducerKey(`chat-${alg}`, alg);
  ({ audience } = await admin.post<{ audience: string }>('/v1/sources', source([keys['RS256']!])));
  // The keys come later than the source, and RS256 leaves again: its evidence has the entry that had it.
  for (const [id, roles] of Object.entries({
    chat: { emit: { sources: ['chat'] } },
    auditor: { audit: {} },
    viewer: { audit: { payloads: false } },
  }))
    secrets[id] = (await admin.post<{ secret: string }>('/v1/callers', { id, roles })).secret;
  sets['RS256'] = await sent('application/secevent+jwt', await setOf(keys['RS256']!, used(), audience));
  const changed = await fetch(`${own.rescind.url}/v1/sources/chat`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${own.rescind.adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(source([keys['ES256']!, keys['EdDSA']!])),
  });
  expect(changed.status).toBe(200);
  for (const alg of ['ES256', 'EdDSA'])
    sets[alg] = await sent('application/secevent+jwt', await setOf(keys[alg]!, used(), audience));
  const story = [
    buildEvent('token.issued', {
      source: CHAT,
      id: 'issued',
      data: token({ jti: 'bob', agent: { id: 'bot', type: 'x' } }),
    }),
    used('bob', '192.0.2.7'),
    used('bob', '203.0.113.66'),
  ] as CloudEvent[];
  batch = await sentAll(await batchOf(keys['ES256']!, story, CHAT, audience));
  vkey = (await admin.get<{ keys: { key: string }[] }>('/v1/ledger')).keys[0]!.key;
});

const source = (signers: readonly ProducerKey[]) => ({
  name: 'chat',
  uri: CHAT,
  types: ['token.issued', 'access.allowed'],
  issuers: [RAS],
  resources: [API],
  signature: 'required',
  jwks: { keys: signers.map(({ publicJwk }) => publicJwk) },
});

let count = 0;
function used(jti = 'alone', address = '192.0.2.1'): CloudEvent {
  count += 1;
  const data = access({ token: { iss: RAS, jti }, client_address: address });
  return buildEvent('access.allowed', { source: CHAT, id: `e-${count}`, data }) as CloudEvent;
}

async function post(type: string, body: string) {
  const answer = await fetch(`${own.rescind.url}/events?wait=published`, {
    method: 'POST',
    headers: { authorization: `Bearer ${secrets['chat']}`, 'content-type': type },
    body,
  });
  const said = (await answer.json()) as unknown;
  expect([answer.status, said]).toEqual([200, expect.anything()]);
  return said;
}
const sent = async (type: string, body: string) => ((await post(type, body)) as { index: string }).index;
const sentAll = async (body: string) =>
  ((await post('application/rescind-batch', body)) as { index: string }[]).map(({ index }) => index);

async function evidenceOf(index: string, who = 'auditor'): Promise<EvidenceFile> {
  const answer = await fetch(`${own.rescind.url}/v1/entries/${index}?evidence=true`, {
    headers: { authorization: `Bearer ${secrets[who]}` },
  });
  return ((await answer.json()) as { evidence: EvidenceFile }).evidence;
}
const textOf = (file: object): string => `${JSON.stringify(file)}\n`;
const verify = (text: string) => says(`verify - --key ${vkey}`, { stdin: text });
const asAuditor = () => ({ url: own.rescind.url, key: secrets['auditor']! });

/** Checks by the file alone, with jose, as somebody does who has none of our code. */
async function signedWithJose(file: EvidenceFile): Promise<unknown> {
  const { manifest, keys: held } = file.signed!;
  const text = manifest ?? Buffer.from(file.payload!.bytes, 'base64').toString();
  const { kid, alg } = JSON.parse(Buffer.from(text.split('.')[0]!, 'base64url').toString()) as {
    kid: string;
    alg: string;
  };
  const { data } = JSON.parse(Buffer.from(held.payload.bytes, 'base64').toString()) as {
    data: { after: { jwks: { keys: JWK[] } } };
  };
  const { payload } = await compactVerify(
    text,
    await importJWK(data.after.jwks.keys.find((key) => key.kid === kid)!, alg),
  );
  return JSON.parse(Buffer.from(payload).toString());
}

describe('evidence of what a source signed', () => {
  it.each(ALGORITHMS)('proves a SET by %s, with the key of its time', async (alg) => {
    const file = await evidenceOf(sets[alg]!);
    const { code, out } = await verify(textOf(file));
    expect(out).toContain(`signed as a SET by the source ${CHAT} with key chat-${alg} (${alg}), which entry`);
    expect(code).toBe(0);
    expect(await signedWithJose(file)).toMatchObject({ iss: CHAT, aud: audience });
  });

  it('proves each event of a batch, and reveals no other one', async () => {
    for (const [position, index] of batch.entries()) {
      const file = await evidenceOf(index);
      const { code, out } = await verify(textOf(file));
      expect(out).toContain(`signed at position ${position} of a batch by the source ${CHAT} with key chat-ES256`);
      expect(code).toBe(0);
      expect(await signedWithJose(file)).toMatchObject({ elements: { length: batch.length } });
    }
    const first = await evidenceOf(batch[0]!);
    const inside = [first.payload!.bytes, first.signed!.keys.payload.bytes].map((text) =>
      Buffer.from(text, 'base64').toString(),
    );
    const manifest = Buffer.from(first.signed!.manifest!.split('.')[1]!, 'base64url').toString();
    for (const part of [...inside, manifest]) expect(part).not.toMatch(/192\.0\.2\.7|203\.0\.113\.66/);
  });

  it('names what was changed', async () => {
    const file = await evidenceOf(batch[1]!);
    const other = await evidenceOf(sets['RS256']!);
    const changed = textOf({ ...file, signed: { ...file.signed, manifest: `${file.signed!.manifest}A` } });
    expect(await verify(changed)).toMatchObject({
      code: 1,
      err: expect.stringContaining('the manifest is not the one'),
    });
    const oldKeys = textOf({ ...file, signed: { ...file.signed, keys: other.signed!.keys } });
    expect(await verify(oldKeys)).toMatchObject({ code: 1, err: expect.stringContaining('no key of the name') });
  });

  it('is null for callers that may see no payloads, and holds without', async () => {
    const file = await evidenceOf(batch[1]!, 'viewer');
    expect(file).toMatchObject({ payload: null, signed: null });
    expect((await verifyEvidence(textOf(file), [parseVerifierKey(vkey)!])).every(({ ok }) => ok)).toBe(true);
  });

  it('is absent from evidence of what came unsigned', async () => {
    expect(await evidenceOf('0')).not.toHaveProperty('signed');
  });
});

describe('an archive of evidence', () => {
  const at = (name: string) => join(directory, name);
  const indexesIn = async (file: string) =>
    (await readFile(at(file), 'utf8'))
      .split(/(?<=\n)/)
      .filter(Boolean)
      .map((line) => String(parseEvidence(line)!.proof.index));

  it('has the entries that were named, and every verdict is said', async () => {
    const named = [batch[2], sets['ES256'], batch[0]].join(' ');
    expect(await says(`evidence ${named} --out ${at('named.jsonl')}`, asAuditor())).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    expect(await indexesIn('named.jsonl')).toEqual([sets['ES256'], batch[0], batch[2]]);
    const { code, out } = await says(`verify ${at('named.jsonl')} --key ${vkey}`);
    expect(code).toBe(0);
    expect(out.match(/^line \d {2}ok .*; signed .*$/gm)).toHaveLength(3);
    expect(out).toMatch(/The evidence of 3 lines holds: 3 entries between \d+ and \d+\.\n$/);
  });

  it('has each use of a subject, and the entries of the rest of its timeline', async () => {
    const { token: id } = (
      await admin.get<{ items: { token: string; index: string }[] }>('/v1/access?from=30d')
    ).items.find(({ index }) => index === batch[1])!;
    const { code, err } = await says(`evidence --token ${id} --from 30d --out ${at('token.jsonl')}`, asAuditor());
    expect([code, err]).toEqual([0, '']);
    expect(await indexesIn('token.jsonl')).toEqual(batch);
    expect((await says(`evidence --token ${id}`, asAuditor())).code).toBe(2);
    expect((await says(`evidence --token ${id} --user 1 --from 1d`, asAuditor())).code).toBe(2);
    expect((await says('evidence --user iss=https://idp.example,name=x --from 1d', asAuditor())).code).toBe(2);
    expect((await says('evidence --resource urn:nobody --from 1d', asAuditor())).code).toBe(6);
  });

  it('has a window of the ledger without a gap, and says so', async () => {
    const last = batch.at(-1)!;
    const window = `evidence --after-index -1 --before-index ${Number(last) + 1} --out ${at('window.jsonl')}`;
    expect(await says(window, asAuditor())).toEqual({ code: 0, out: '', err: '' });
    expect(await says(`verify ${at('window.jsonl')} --key ${vkey}`)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`: every entry from 0 to ${last}.\n`),
    });
    const lines = (await readFile(at('window.jsonl'), 'utf8')).split(/(?<=\n)/).filter(Boolean);
    await writeFile(at('gap.jsonl'), lines.toSpliced(2, 1).join(''));
    const { out } = await says(`verify ${at('gap.jsonl')} --key ${vkey}`);
    expect(out).not.toContain('every entry');
  });

  it('keeps no file if it cannot be whole, and refuses to be named in two ways', async () => {
    const beyond = await says(`evidence 0 99999 --out ${at('beyond.jsonl')}`, asAuditor());
    expect(beyond.code).toBe(6);
    expect(await says(`evidence --after-index 0 --before-index 99999`, asAuditor())).toMatchObject({
      code: 1,
      err: expect.stringContaining('newest signed checkpoint covers'),
    });
    await expect(readFile(at('beyond.jsonl'))).rejects.toThrow('ENOENT');
    for (const args of ['', '1 --finding x', '1 x', '--after-index x'])
      expect((await says(`evidence ${args}`, asAuditor())).code).toBe(2);
  });

  it('goes on behind a wrong line, counts it, and names the first', async () => {
    const lines = (await readFile(at('window.jsonl'), 'utf8')).split(/(?<=\n)/).filter(Boolean);
    const spoilt = lines.map((line, nth) =>
      nth === 1 || nth === 3 ? line.replace('"bytes":"ey', '"bytes":"fy') : line,
    );
    await writeFile(at('spoilt.jsonl'), spoilt.join(''));
    const { code, out, err } = await says(`verify ${at('spoilt.jsonl')} --key ${vkey}`);
    expect(code).toBe(1);
    expect(err).toMatch(/^rescind: line 2 does not hold\. Not so: a payload in the file/);
    expect(out.match(/WRONG/g)).toHaveLength(2);
    expect(out).toContain(`2 of ${lines.length} lines do not hold; the others: ${lines.length - 2} entries between 0`);
    const json = await says(`verify ${at('spoilt.jsonl')} --key ${vkey} --json`);
    const verdicts = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { ok: boolean; index: string });
    expect(verdicts.filter(({ ok }) => !ok).map(({ index }) => index)).toEqual(['1', '3']);
  });
});

describe('evidence of a finding', () => {
  it('is that of the entries that the finding names', async () => {
    let finding: FindingItem | undefined;
    while (finding === undefined)
      [finding] = (await admin.get<{ items: FindingItem[] }>('/v1/findings?kind=token-from-two-networks')).items;
    const answer = await admin.get<FindingItem>(`/v1/findings/${finding.id}?evidence=true`);
    expect(answer.evidence!.map((file) => String(parseEvidence(textOf(file))!.proof.index))).toEqual(finding.entries);
    for (const file of answer.evidence!) expect((await verify(textOf(file))).code).toBe(0);
    expect(finding).not.toHaveProperty('evidence');
    const archive = await says(`evidence --finding ${finding.id}`, asAuditor());
    expect(archive.out.split('\n').filter(Boolean)).toHaveLength(finding.entries.length);
    expect((await verify(archive.out)).code).toBe(0);
    const shown = await fetch(`${own.rescind.url}/v1/findings/${finding.id}?evidence=true`, {
      headers: { authorization: `Bearer ${secrets['viewer']}` },
    });
    const { evidence } = (await shown.json()) as FindingItem;
    for (const file of evidence!) expect(file).toMatchObject({ payload: null, signed: null });
  });
});
