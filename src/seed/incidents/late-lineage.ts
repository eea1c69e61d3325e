import { ask } from './ask.js';
import type { Incident } from './incident.js';

const USER = 'ines.moreau';
const CLIENT = 'kiosk';

export const lateLineage: Incident = {
  name: 'late-lineage',
  happened: `5 days ago the authorization server of learning told of its tokens only at 15:00; until then nobody could say whose the calls of 09:02 and 09:05 were.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '11:00'), CLIENT, 'learning', 'learning.read');
    const token = scene.token({
      at: at(5, '09:00'),
      user: USER,
      client: CLIENT,
      app: 'learning',
      scope: 'learning.read',
      as: 'token',
      issuedArrives: at(5, '15:00'),
    });
    scene.call(token, { at: at(5, '09:02'), route: 'GET /courses', from: '203.0.113.90', records: 9 });
    scene.call(token, { at: at(5, '09:05'), route: 'GET /results', from: '203.0.113.90', records: 4 });
  },
  answers: (scene) => [
    {
      question: 'Who read the results?',
      path: `/v1/access?${ask.resource(scene, 'learning')}`,
      answer: {
        items: [
          { at: scene.time(5, '09:05'), attributed: true, user: { sub: USER }, route: 'GET /results' },
          { at: scene.time(5, '09:02'), attributed: true, user: { sub: USER }, route: 'GET /courses' },
        ],
      },
    },
    {
      question: 'Who has access there, for the review?',
      path: `/v1/reports/access-review?${ask.resource(scene, 'learning')}`,
      answer: {
        items: [
          {
            user: { sub: USER },
            granted_scopes: ['learning.read'],
            used_scopes: ['learning.read'],
            uses_30_days: 2,
            uses_90_days: 2,
            rules: [],
          },
        ],
      },
    },
    {
      question: 'What was known of it at noon?',
      path: `/v1/access?${ask.resource(scene, 'learning')}&as_of=${scene.time(5, '12:00')}`,
      answer: {
        items: [
          { at: scene.time(5, '09:05'), attributed: false, user: null, client: null },
          { at: scene.time(5, '09:02'), attributed: false, user: null, client: null },
        ],
      },
    },
  ],
};
