import { ask } from './ask.js';
import { IDP } from '../seed-event.js';
import type { Incident } from './incident.js';

const USER = 'priya.mehta';
const AGENT = 'travel-booker';

export const leaver: Incident = {
  name: 'leaver',
  happened: `${USER} left 4 days ago at 17:00; an agent that held a token of hers was served at 17:20 and 17:40.`,
  tell(scene) {
    const { at } = scene;
    scene.connection('connection.created', at(8, '10:50'), AGENT, 'billing', 'billing.read billing.write');
    const token = scene.token({ at: at(4, '16:50'), user: USER, client: AGENT, app: 'billing', scope: 'billing.read billing.write', as: 'token' });
    scene.call(token, { at: at(4, '16:55'), route: 'GET /invoices', from: '192.0.2.23', records: 8 });
    scene.say(IDP, 'user.disabled', at(4, '17:00'), { iss: scene.organisation.idp.issuer, sub: USER });
    scene.call(token, { at: at(4, '17:20'), route: 'POST /payments', from: '192.0.2.23' });
    scene.call(token, { at: at(4, '17:40'), route: 'POST /payments', from: '192.0.2.23' });
  },
  answers: (scene) => [
    {
      question: 'What was done in her name after she left?',
      path: `/v1/access?${ask.user(scene, USER)}&from=${scene.at(4, '17:00')}`,
      answer: {
        items: [
          { at: scene.at(4, '17:40'), route: 'POST /payments', operation: 'write', outcome: 'allowed', agent: { id: 'agent-travel-booker' } },
          { at: scene.at(4, '17:20'), route: 'POST /payments', operation: 'write', outcome: 'allowed' },
        ],
      },
    },
    {
      question: 'Is the token stopped?',
      path: `/v1/tokens?iss=${scene.organisation.app('billing').issuer}&jti=leaver-token`,
      answer: { user: { sub: USER }, stopped_by: [{}] },
    },
  ],
};
