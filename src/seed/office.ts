import type { Say } from './grants.js';
import { RESERVED } from './names.js';
import { clientAt, type App, type Client, type Connection, type Organisation } from './organisation.js';
import type { Random } from './random.js';
import { IDP } from './seed-event.js';

const DAY_S = 86_400;
const HOUR_S = 3_600;
/** Seconds from one first approval to the next. */
const APPROVAL_S = 20;
const LEAVERS_A_WEEK = 3;
const SUSPENSION_S = 14 * HOUR_S;
const TRIAL_DAYS = 3;

const connectionOf = (organisation: Organisation, client: Client, app: App, scope: string) => ({
  iss: organisation.idp.issuer,
  idp_client_id: client.id,
  aud: [app.issuer],
  client_id: clientAt(client, app),
  resource: [app.resource],
  scope,
  ...(client.agent ? { agent: client.agent } : {}),
});

/** Reports the connections that administrators approve when the log begins. */
export function sayApprovals(organisation: Organisation, say: Say, start: number): void {
  let at = start;
  for (const connections of organisation.connections.values()) {
    for (const { client, app, scope } of connections)
      say(IDP, 'connection.created', (at += APPROVAL_S), 1, connectionOf(organisation, client, app, scope));
  }
}

/**
 * Returns a function that reports what administrators do in one hour: people leave, somebody is locked out overnight, connections are tried
 * and changed.
 */
export function sayOffice(organisation: Organisation, random: Random, say: Say, start: number): (hour: number) => void {
  const { issuer: iss } = organisation.idp;
  const users = organisation.users.slice(0, organisation.users.length - RESERVED.users.length);
  const all = [...organisation.connections.values()].flat();
  const changed = new Set<Connection>();
  return (hour) => {
    const isMorning = Math.floor(hour / HOUR_S) % 24 === 9;
    if (!isMorning || hour < start + DAY_S) return;
    // Leavers are drawn from the quiet users (the last 30 %), because busy users would go on producing events.
    if (random.chance(LEAVERS_A_WEEK / 7))
      say(IDP, 'user.disabled', hour + random.below(HOUR_S), 1, {
        iss,
        sub: users[Math.floor(users.length * 0.7) + random.below(users.length * 0.3)]!,
      });
    if (random.chance(1 / 7)) {
      const sub = users[random.below(users.length)]!;
      say(IDP, 'user.disabled', hour + 9 * HOUR_S, 1, { iss, sub });
      say(IDP, 'user.enabled', hour + 9 * HOUR_S + SUSPENSION_S, 1, { iss, sub });
    }
    if (random.chance(0.25)) {
      const connection = random.pick(all);
      const more = connection.app.scopes.find((scope) => !connection.scope.includes(scope));
      if (more !== undefined && !changed.has(connection)) {
        changed.add(connection);
        say(
          IDP,
          'connection.updated',
          hour + random.below(HOUR_S),
          1,
          connectionOf(organisation, connection.client, connection.app, `${connection.scope} ${more}`),
        );
      }
    }
    if (random.chance(0.15)) {
      const { client } = random.pick(all);
      const taken = new Set(organisation.connections.get(client)!.map(({ app }) => app));
      const app = organisation.apps.find(
        (one) => !taken.has(one) && !(RESERVED.apps as readonly string[]).includes(one.name),
      );
      if (app === undefined) return;
      const tried = connectionOf(organisation, client, app, app.scopes[0]!);
      say(IDP, 'connection.created', hour + random.below(HOUR_S), 1, tried);
      say(IDP, 'connection.deleted', hour + TRIAL_DAYS * DAY_S, 1, tried);
    }
  };
}
