import { timeText } from '../../contracts/index.js';
import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'jonas.keller';
const AGENT = 'market-watch';
const TRIES = 25;

export const probing: Incident = {
  name: 'probing',
  happened: `6 days ago ${AGENT} tried ${TRIES} times within five minutes to change settings of the ticket system that it may only read.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '10:40'), AGENT, 'tickets', 'tickets.read');
    const token = scene.token({
      at: at(6, '16:00'),
      user: USER,
      client: AGENT,
      app: 'tickets',
      scope: 'tickets.read',
      as: 'token',
    });
    scene.call(token, { at: at(6, '16:01'), route: 'GET /tickets', from: '192.0.2.22', records: 20 });
    for (let nth = 0; nth < TRIES; nth++)
      scene.call(token, { at: at(6, '16:02') + nth * 12, route: 'PUT /settings', from: '192.0.2.22', denied: 403 });
  },
  answers: (scene) => [
    {
      question: 'What was the agent refused?',
      path: `/v1/access?${ask.agent(scene, AGENT)}&outcome=denied&limit=100`,
      answer: {
        items: Array.from({ length: TRIES }, (_, nth) => ({
          at: timeText(scene.at(6, '16:06:48') - nth * 12),
          route: 'PUT /settings',
          operation: 'admin',
          status: 403,
          user: { sub: USER },
        })),
      },
    },
    {
      question: 'Within which time?',
      path: `/v1/access/counts?${ask.agent(scene, AGENT)}&outcome=denied&by=hour`,
      answer: {
        total: { accesses: TRIES, denied: TRIES, allowed: 0 },
        items: [{ at: scene.time(6, '16:00'), denied: TRIES }],
      },
    },
    {
      question: 'How does that stand beside what it was allowed?',
      path: `/v1/connections?${ask.client(scene, AGENT)}`,
      answer: {
        items: [
          { granted_scopes: ['tickets.read'], used_scopes: ['tickets.read'], accesses: 26, allowed: 1, denied: TRIES },
        ],
      },
    },
  ],
};
