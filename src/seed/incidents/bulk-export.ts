import { timeText } from '../../contracts/index.js';
import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'tariq.lindgren';
const AGENT = 'report-writer';
const EXPORTS = 40;
const RECORDS = 5_000;

export const bulkExport: Incident = {
  name: 'bulk-export',
  happened: `5 days ago at night ${AGENT} exported the CRM for ${USER}: ${EXPORTS} exports of ${RECORDS.toLocaleString('en')} records within twenty minutes, where it had read one page a day.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '09:05'), AGENT, 'crm', 'crm.read crm.export');
    for (const day of [7, 6]) {
      const token = scene.token({
        at: at(day, '14:00'),
        user: USER,
        client: AGENT,
        app: 'crm',
        scope: 'crm.read',
        as: `day-${day}`,
      });
      scene.call(token, { at: at(day, '14:01'), route: 'GET /contacts', from: '192.0.2.18', records: 50 });
    }
    const token = scene.token({
      at: at(5, '02:00'),
      user: USER,
      client: AGENT,
      app: 'crm',
      scope: 'crm.read crm.export',
      as: 'night',
    });
    for (let nth = 0; nth < EXPORTS; nth++) {
      scene.call(token, {
        at: at(5, '02:01') + nth * 30,
        route: 'GET /export',
        from: '192.0.2.18',
        records: RECORDS,
        bytes: 2_000_000,
      });
    }
  },
  answers: (scene) => [
    {
      question: `What did ${USER} export?`,
      path: `/v1/access?${ask.user(scene, USER)}&operation=export&limit=100`,
      answer: {
        items: Array.from({ length: EXPORTS }, (_, nth) => ({
          at: timeText(scene.at(5, '02:20:30') - nth * 30),
          operation: 'export',
          records: RECORDS,
          bytes: 2_000_000,
          client_address: '192.0.2.18',
        })),
      },
    },
    {
      question: 'How much was that, and when?',
      path: `/v1/access/counts?${ask.user(scene, USER)}&operation=export&by=hour`,
      answer: {
        total: {
          accesses: EXPORTS,
          allowed: EXPORTS,
          denied: 0,
          records: 200_000,
          bytes: 80_000_000,
          operations: { export: EXPORTS, read: 0 },
        },
        items: [{ at: scene.time(5, '02:00'), accesses: EXPORTS }],
      },
    },
    {
      question: 'Which grant was it, and what of it was used?',
      path: `/v1/grants?${ask.user(scene, USER)}`,
      answer: {
        items: [
          {
            user: { sub: USER },
            agent: { id: 'agent-report-writer' },
            granted_scopes: ['crm.export', 'crm.read'],
            used_scopes: ['crm.export', 'crm.read'],
            accesses: 42,
            allowed: 42,
            denied: 0,
            first_used: scene.time(7, '14:01'),
            last_used: scene.time(5, '02:20:30'),
          },
        ],
      },
    },
    {
      question: 'And the evening before?',
      path: `/v1/grants?${ask.user(scene, USER)}&as_of=${scene.time(6, '20:00')}`,
      answer: {
        items: [
          { granted_scopes: ['crm.read'], used_scopes: ['crm.read'], accesses: 2, last_used: scene.time(6, '14:01') },
        ],
      },
    },
  ],
};
