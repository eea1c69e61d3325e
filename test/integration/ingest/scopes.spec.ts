import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createStage, fromChat, fromIdp, idJag, token, type Stage } from '../../support/stage.js';

let stage: Stage;
beforeAll(async () => {
  stage = await createStage();
});
afterAll(() => stage.stop());

const numbered = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `file:${from + n}:read`);
/** An event as a producer without our library sends it: nobody has looked at its scope. */
const withScope = <E extends { readonly data: object }>(event: E, scope: string): E => ({
  ...event,
  data: { ...event.data, scope },
});

const versionsOf = async (sub: string): Promise<{ scopes: string[]; open: boolean }[]> =>
  (
    await stage.database.pool.query(
      `SELECT g.scopes, g.to_ix IS NULL AS open FROM grant_version g JOIN entity e ON e.tenant = g.tenant AND e.id = g.usr
       WHERE e.parts ->> 2 = $1 ORDER BY g.from_ix`,
      [sub],
    )
  ).rows;

describe('scopes at the intake', () => {
  it('are limited to a hundred an event: events with 819 are refused, each by itself', async () => {
    const scopesOf = (n: number): string =>
      Array.from({ length: 819 }, (_, nth) => (n * 819 + nth).toString(36).padStart(4, '0')).join(' ');
    const many = Array.from({ length: 50 }, (_, n) =>
      withScope(fromChat('token.issued', token({ jti: `many-${n}` })), scopesOf(n)),
    );
    const results = await stage.emit(...many, fromChat('token.issued', token({ jti: 'beside-many' })));
    expect(results.slice(0, 50)).toEqual(
      many.map(() => ({ error: 'invalid-scope', detail: expect.stringContaining('at most 100 scopes') })),
    );
    expect(results[50]).toMatchObject({ state: 'sequenced' });
  });

  it('are never too long for an index: the database refuses none that the schema accepts', async () => {
    const idJagOf = (name: string, scope: string) =>
      withScope(fromIdp('id-jag.issued', idJag({ jti: name, sub: name })), scope);
    // Nothing that a database compresses.
    const random = (length: number): string =>
      Array.from({ length }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join('');
    const results = await stage.emit(
      idJagOf('long', random(256)),
      idJagOf('longer', random(257)),
      idJagOf('longest', random(4_096)),
    );
    expect(results.map((result) => (result as { error?: string }).error)).toEqual([
      undefined,
      'invalid-scope',
      'invalid-scope',
    ]);
  });
});

describe('a grant', () => {
  it('keeps a hundred scopes, however many tokens it has, and says that there are more', async () => {
    const stated = { iss: 'https://idp.acme.example', jti: 'gr-hoard', sub: 'hoarder' };
    const tokens = Array.from({ length: 300 }, (_, n) =>
      fromChat('token.issued', token({ jti: `hoard-${n}`, id_jag: stated, scope: numbered(n * 50, 50).join(' ') })),
    );
    await stage.emit(...tokens.slice(0, 150));
    await stage.emit(...tokens.slice(150));
    const versions = await versionsOf('hoarder');
    expect(versions.map(({ open }) => open)).toEqual([false, false, true]);
    expect(versions.at(-1)!.scopes).toEqual([...numbered(0, 100).sort(), '…']);
  });

  it('shows at its edge the scopes that are kept, and that there are more', async () => {
    const { rows } = await stage.database.pool.query(
      `SELECT scope FROM edge_scope_granted WHERE scope = 'file:99:read' OR scope = 'file:100:read' OR scope = '…'`,
    );
    expect(rows.map(({ scope }) => scope as string).sort()).toEqual(['file:99:read', '…']);
  });
});

describe('a connection', () => {
  it('keeps a hundred of the scopes that its ID-JAGs show', async () => {
    const idJags = Array.from({ length: 30 }, (_, n) =>
      fromIdp(
        'id-jag.issued',
        idJag({
          jti: `wide-${n}`,
          sub: `wide-${n}`,
          idp_client_id: 'wide',
          client_id: 'wide',
          scope: numbered(n * 10, 10).join(' '),
        }),
      ),
    );
    await stage.emit(...idJags);
    const { rows } = await stage.database.pool.query(
      `SELECT scopes FROM connection_version WHERE to_ix IS NULL AND parts ->> 2 = 'wide'`,
    );
    expect(rows).toEqual([{ scopes: [...numbered(0, 100).sort(), '…'] }]);
  });
});
