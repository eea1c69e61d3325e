import { canonicalJson, eventType, type EventDataOf } from '../../../src/contracts/index.js';
import { contentOf } from '../../../src/ingest/index.js';
import { appendEntries, prepareEntry } from '../../../src/log/index.js';
import { inTransaction, type Pool } from '../../../src/platform/postgres/index.js';
import { writeProjections, type OwnProjectedEvent } from '../../../src/projections/index.js';
import { keyOf } from './history.js';

type OwnName = 'revocation.ordered' | 'revocation.lifted' | 'key.used' | 'ledger.continued' | 'log-key.changed';

const idOf = (data: EventDataOf[OwnName]): string =>
  'seq' in data ? data.seq : 'origin' in data ? data.origin : `${data.caller}-${data.network}`;

/** Writes an entry of Rescind's own, as the outbox does; answers with its index. */
export async function sayOwn<N extends OwnName>(
  pool: Pool,
  tenant: string,
  name: N,
  atMs: number,
  data: EventDataOf[N],
): Promise<bigint> {
  return inTransaction(pool, async (client) => {
    const said = {
      type: eventType(name),
      source: `urn:rescind:${tenant}`,
      id: `own-${name}-${idOf(data)}`,
      time: new Date(atMs).toISOString(),
      data,
    };
    const tenantKey = keyOf(tenant);
    const entry = prepareEntry({
      tenant,
      tenantKey,
      type: said.type,
      source: tenant,
      eventId: said.id,
      mode: 'own',
      headers: [],
      bytes: Buffer.from(canonicalJson(said)),
    });
    const [placed] = await appendEntries(client, [entry], contentOf);
    const event = {
      name,
      data,
      tenant,
      tenantKey,
      ix: placed!.index,
      arrivalMs: placed!.arrivalMs!,
      atMs,
    } as OwnProjectedEvent;
    await writeProjections(client, [], [event]);
    return placed!.index;
  });
}
