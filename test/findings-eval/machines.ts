import { DAY_S, DAYS, HOUR_S, SPAN_S } from './calendar.js';
import type { Life } from './noise.js';
import type { Operation } from './organisation.js';

/** Calls of one job on one connection. */
const PARTS = 6;

/**
 * Tells what runs without people: jobs that read and export every night, one job that exports several times as much on one night as at the
 * end of a month, and a scanner that is refused many times, twice every day.
 */
export function tellMachines(life: Life): void {
  tellJobs(life);
  tellScanner(life);
}

function tellJobs({ organisation, random, teller }: Life): void {
  const monthEnd = 4 + random.below(9);
  for (const client of organisation.services) {
    const mine = organisation.connections.filter((one) => one.client === client);
    const hour = 12 + random.below(5); // The story begins at noon: this is midnight to four.
    const bases = mine.map(() => 1_500 + random.below(8_000));
    const user = { sub: `svc.${client.id}` };
    for (let day = 0; day < DAYS; day++) {
      mine.forEach((connection, nth) => {
        const at = day * DAY_S + hour * HOUR_S + nth * 400 + random.below(300);
        const token = teller.grant({ at, user, connection, operations: ['read', 'export'] });
        const times = client.id === 'month-end' && day === monthEnd ? 3 + random.below(3) : 1;
        for (let part = 0; part < PARTS * times; part++)
          teller.call(token, {
            at: at + 5 + part * 20,
            operation: part % 2 === 0 ? 'export' : 'read',
            network: client.platform!,
            records: Math.round(bases[nth]! * (0.85 + random.next() * 0.3)),
          });
      });
    }
  }
}

const TRIED: readonly Operation[] = ['delete', 'admin', 'export', 'write', 'delete', 'admin'];

function tellScanner({ organisation, random, teller }: Life): void {
  const mine = organisation.connections.filter(({ client }) => client === organisation.scanner);
  const user = { sub: 'svc.posture-scan' };
  for (let run = 0; (run + 1) * (DAY_S / 2) < SPAN_S; run++) {
    mine.forEach((connection, nth) => {
      const at = run * (DAY_S / 2) + 3 * HOUR_S + nth * 200 + random.below(100);
      const token = teller.grant({ at, user, connection, operations: ['read'] });
      const network = organisation.scanner.platform!;
      teller.call(token, { at: at + 2, operation: 'read', network });
      for (let count = 8 + random.below(6); count > 0; count--)
        teller.call(token, { at: at + 3 + count * 2, operation: random.pick(TRIED), network, denied: 403 });
    });
  }
}
