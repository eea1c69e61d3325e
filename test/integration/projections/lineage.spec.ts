import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CloudEvent } from '../../../src/contracts/index.js';
import { createLineageReader, type LineageReader, type StoredLineage } from '../../../src/projections/index.js';
import { ruleKey, tokenParts, type RuleKey, type TokenRef } from '../../../src/rules/index.js';
import { createStage, fromChat, fromIdp, IDP, idJag, RAS, token, type Stage } from '../../support/stage.js';

let stage: Stage;
let lineage: LineageReader;
beforeAll(async () => {
  stage = await createStage();
  lineage = createLineageReader({ pool: stage.database.pool });
});
afterAll(() => stage.stop());

const digest = (): string => Buffer.from(randomUUID().replaceAll('-', '').padEnd(32, 'x')).toString('base64url');
const keyOf = (ref: TokenRef): RuleKey =>
  ruleKey(stage.follower.state.tenant(stage.tenant)!.key, 'token', tokenParts(ref));
const read = (...refs: TokenRef[]): Promise<readonly (StoredLineage | undefined)[]> =>
  lineage.tokens(stage.tenant, refs.map(keyOf));
const names = ({ tokens, idJags, complete, broken }: StoredLineage) => ({
  tokens: tokens.map(({ facts }) => facts.jti),
  idJags: idJags.map(({ facts }) => facts.jti),
  complete,
  broken,
});

async function record(...events: readonly CloudEvent[]): Promise<void> {
  for (const result of await stage.emit(...events)) expect(result).toMatchObject({ state: 'sequenced' });
}

describe('the lineage of recorded tokens', () => {
  it('is returned in the order of the question: unknown tokens, one alone, one asked for twice', async () => {
    await record(fromChat('token.issued', token({ jti: 'alone', id_jag: undefined })));
    const alone = { iss: RAS, jti: 'alone' };
    const [unknown, first, second] = await read({ iss: RAS, jti: 'unknown' }, alone, alone);
    expect(unknown).toBeUndefined();
    expect(names(first!)).toEqual({ tokens: ['alone'], idJags: [], complete: true, broken: false });
    expect(second).toEqual(first);
    expect(first!.tokens[0]).toMatchObject({
      key: keyOf(alone),
      source: stage.chat.id,
      conflict: false,
      idJagKey: undefined,
      parentKey: undefined,
    });
    expect(await read()).toEqual([]);
    expect(await lineage.tokens(randomUUID(), [keyOf(alone)])).toEqual([undefined]);
  });

  it('finds the ID-JAG by either of its names', async () => {
    const sha256 = digest();
    await record(
      fromIdp('id-jag.issued', idJag({ jti: 'both', sha256 })),
      fromChat('token.issued', token({ jti: 'by-jti', id_jag: { iss: IDP, jti: 'both', sub: 'alice' } })),
      fromChat('token.issued', token({ jti: 'by-digest', id_jag: { iss: IDP, sha256, sub: 'alice' } })),
    );
    const [byJti, byDigest] = await read({ iss: RAS, jti: 'by-jti' }, { iss: RAS, jti: 'by-digest' });
    expect(names(byJti!)).toEqual({ tokens: ['by-jti'], idJags: ['both'], complete: true, broken: false });
    expect(names(byDigest!)).toEqual({ tokens: ['by-digest'], idJags: ['both'], complete: true, broken: false });
    const [walked] = await lineage.idJags(stage.tenant, [byDigest!.tokens[0]!.idJagKey!]);
    expect(byDigest!.idJags).toEqual(walked!.idJags);
    expect(byJti!.idJags).toEqual(walked!.idJags);
  });

  it('is incomplete without the ID-JAG that a token states', async () => {
    await record(fromChat('token.issued', token({ jti: 'early', id_jag: { iss: IDP, jti: 'not-yet', sub: 'alice' } })));
    const [early] = await read({ iss: RAS, jti: 'early' });
    expect(names(early!)).toEqual({ tokens: ['early'], idJags: [], complete: false, broken: false });
    expect(early!.tokens[0]!.idJagKey).toHaveLength(16);
  });

  it('has every ID-JAG with the same digest', async () => {
    const sha256 = digest();
    await record(
      fromIdp('id-jag.issued', idJag({ jti: 'twin-1', sha256 })),
      fromIdp('id-jag.issued', idJag({ jti: 'twin-2', sha256 })),
      fromChat('token.issued', token({ jti: 'of-twins', id_jag: { iss: IDP, sha256, sub: 'alice' } })),
    );
    const [ofTwins] = await read({ iss: RAS, jti: 'of-twins' });
    expect(ofTwins!.idJags.map(({ facts }) => facts.jti).toSorted()).toEqual(['twin-1', 'twin-2']);
  });

  it('goes back through parents of tokens and of ID-JAGs, beside tokens that have none', async () => {
    await record(
      fromChat('token.issued', token({ jti: 'plain', id_jag: undefined })),
      fromIdp('id-jag.issued', idJag({ jti: 'gr-root' })),
      fromChat('token.issued', token({ jti: 'root', id_jag: { iss: IDP, jti: 'gr-root', sub: 'alice' } })),
      fromChat('token.issued', token({ jti: 'child', id_jag: undefined, parent: { iss: RAS, jti: 'root' } })),
      fromIdp('id-jag.issued', idJag({ jti: 'gr-hop', parent: { iss: RAS, jti: 'child' } })),
      fromChat('token.issued', token({ jti: 'hop', id_jag: { iss: IDP, jti: 'gr-hop', sub: 'alice' } })),
      fromChat('token.issued', token({ jti: 'orphan', id_jag: undefined, parent: { iss: RAS, jti: 'nowhere' } })),
    );
    const [hop, plain, orphan] = await read(
      { iss: RAS, jti: 'hop' },
      { iss: RAS, jti: 'plain' },
      { iss: RAS, jti: 'orphan' },
    );
    expect(names(hop!)).toEqual({
      tokens: ['hop', 'child', 'root'],
      idJags: ['gr-hop', 'gr-root'],
      complete: true,
      broken: false,
    });
    expect(names(plain!)).toEqual({ tokens: ['plain'], idJags: [], complete: true, broken: false });
    expect(names(orphan!)).toEqual({ tokens: ['orphan'], idJags: [], complete: false, broken: false });
  });
});
