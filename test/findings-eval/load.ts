import { createRevocations } from '../../src/revocation/index.js';
import { type Log } from '../../src/platform/log/index.js';
import { openPast, registerParties, type Past } from '../../src/seed/index.js';
import type { ToldStory } from './story.js';
import type { Act } from './truth.js';

/** Before the story begins, its sources are registered. */
const SETTING_UP_S = 3_600;
/** A batch is entered at its last arrival, so an arrival is wrong by so many seconds at most. */
const SPAN_S = 1_200;

/** Entry from which on something happened: the first that arrived at its time or later. */
const FIRST_ENTRY = 'SELECT min(ix) AS ix FROM entry WHERE tenant = $1 AND arrival >= $2';

export interface Loaded {
  /** First entry of each incident, in the order of the truth. */
  readonly firstEntries: readonly number[];
  /** Entries of the ledger, with Rescind's own. */
  readonly entries: number;
  /** Seconds in which nothing was done but wait for the database. */
  readonly waited: number;
}

/** Enters the story into an empty ledger at the times at which it happened, through the doors that every event takes. */
export async function loadStory({
  story,
  databaseUrl,
  home,
  log,
}: {
  readonly story: ToldStory;
  readonly databaseUrl: string;
  readonly home: string;
  readonly log: Log;
}): Promise<Loaded> {
  const past = await openPast({ databaseUrl, home, log, start: story.start - SETTING_UP_S });
  try {
    const parties = await registerParties(past.registry, past.follower.state, past.actor, story.organisation, '');
    await past.settle();
    const { events } = story;
    let sent = 0;
    let waited = 0;
    const writeUntil = async (at: number): Promise<void> => {
      const from = sent;
      while (sent < events.length && events[sent]!.arrives < at) sent += 1;
      const { pace } = await past.write({ events: events.slice(from, sent), parties, span: SPAN_S });
      waited += pace.waited;
    };
    for (const act of story.acts) {
      await writeUntil(act.at);
      await past.setClock(act.at);
      await perform(past, act);
      await past.settle();
    }
    await writeUntil(story.end);
    await past.setClock(story.end);
    await parties.retire();
    await past.settle();
    const firstEntries: number[] = [];
    for (const { first } of story.truth) {
      const { rows } = await past.pool.query<{ ix: string | null }>(FIRST_ENTRY, [past.actor.tenant, first * 1_000]);
      firstEntries.push(Number(rows[0]?.ix ?? 0));
    }
    return { entries: await past.countEntries(), firstEntries, waited };
  } finally {
    await past.stop();
  }
}

async function perform({ controlLog, follower, pool, registry, actor }: Past, act: Act): Promise<void> {
  if (act.does === 'create-caller') await registry.createCaller(actor, { id: act.id, roles: act.roles });
  else if (act.does === 'update-caller') await registry.updateCaller(actor, act.id, { roles: act.roles });
  else {
    const revocations = createRevocations({ controlLog, follower, pool, now: () => act.at * 1000 });
    await revocations.orderAsync(follower.state.caller(actor.id)!, act.body);
  }
}
