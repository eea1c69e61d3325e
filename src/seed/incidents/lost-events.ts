import { timeText } from '../../contracts/index.js';
import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'omar.farah';
const CLIENT = 'room-panel';
const CALLS = 20;
const LOST: ReadonlySet<number> = new Set([12, 13, 14]);

export const lostEvents: Incident = {
  name: 'lost-events',
  happened: `7 days ago press, which numbers what it says, lost three events, 12 to 14, on their way: nobody knows what was done then.`,
  tell(scene) {
    const { at, organisation } = scene;
    const { resource } = organisation.app('press');
    scene.connection('connection.created', at(8, '11:10'), CLIENT, 'press', 'press.read');
    const token = scene.token({
      at: at(7, '12:00'),
      user: USER,
      client: CLIENT,
      app: 'press',
      scope: 'press.read',
      as: 'token',
    });
    for (let sequence = 0; sequence < CALLS; sequence++) {
      if (LOST.has(sequence)) continue;
      const call = {
        token: token.reference,
        operation: 'read' as const,
        route: 'GET /releases',
        resource: [resource],
        scope: 'press.read',
        status: 200,
        records: 1,
      };
      scene.say('press', 'access.allowed', at(7, '12:05') + sequence * 60, {
        ...call,
        client_address: '10.1.0.7',
        sequence,
      });
    }
  },
  answers: (scene) => [
    {
      question: 'What did we see of press?',
      path: `/v1/access?${ask.resource(scene, 'press')}&limit=100`,
      answer: {
        items: Array.from({ length: CALLS }, (_, nth) => CALLS - 1 - nth)
          .filter((nth) => !LOST.has(nth))
          .map((nth) => ({ at: timeText(scene.at(7, '12:05') + nth * 60), user: { sub: USER } })),
      },
    },
    {
      question: 'What of press do we not see, among all else?',
      path: '/v1/coverage',
      oneItem: {
        source: { name: 'press' },
        sequence: { first: 0, last: 19, missing: 3 },
        uses: { count: 17, attributed: 17 },
      },
    },
    {
      question: 'And what did we not see?',
      path: '/v1/sequences',
      oneItem: { source: { name: 'press' }, first: 0, last: 19, missing: 3, repeated: 0, gaps: [{ from: 12, to: 14 }] },
    },
  ],
};
