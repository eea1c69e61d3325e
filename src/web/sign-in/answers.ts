import { Type, type Static } from 'typebox';
import { maybe, nameSchemas, strict, timeThat } from '../../contracts/index.js';
import { PEOPLE_ROLES } from '../../platform/config/index.js';

export const Me = Type.Object(
  {
    id: Type.String({ description: 'names the caller or the person, as an author in the ledger does' }),
    tenant: Type.String({ description: 'name of the tenant' }),
    person: maybe(
      Type.Object(
        {
          iss: Type.String(),
          sub: Type.String(),
          name: maybe(Type.String()),
          roles: Type.Array(Type.Enum([...PEOPLE_ROLES])),
          authenticated_at: maybe(
            timeThat('when the identity provider last saw the person sign in; null: it does not say'),
          ),
          ends_at: timeThat('when the session ends, if it does not end sooner'),
        },
        { ...strict, description: 'the person who has signed in; null: a registered caller' },
      ),
    ),
    may: Type.Object(
      {
        look: Type.Boolean({ description: 'ask questions' }),
        investigate: Type.Boolean({ description: 'see payloads, addresses and networks of clients, and exports' }),
        stop: Type.Boolean({ description: 'order and lift rules for the whole tenant, and change findings' }),
        administer: Type.Boolean({ description: 'change sources, callers, channels, the directory and detections' }),
      },
      strict,
    ),
  },
  strict,
);
export const SignInLink = Type.Object(
  {
    url: Type.String({ description: 'opens the console, once' }),
    ends_at: timeThat('when the link ends, if it was not used'),
  },
  strict,
);

nameSchemas({ Me, SignInLink });

export type Me = Static<typeof Me>;
export type SignInLink = Static<typeof SignInLink>;
