import { Type, type Static } from 'typebox';
import { nameSchemas, strict, timeThat, Uuid } from '../../contracts/index.js';

export const View = Type.Object(
  {
    id: Uuid,
    name: Type.String(),
    page: Type.String({ description: 'path of the page, below `/console`' }),
    search: Type.String({ description: 'search of its URL, without the question mark' }),
    shared: Type.Boolean({ description: 'whether everybody of the tenant who may ask questions sees it' }),
    owner: Type.String({ description: 'names the caller or the person who saved it, as an author in the ledger does' }),
    mine: Type.Boolean({ description: 'whether it is that of who asks' }),
    may_change: Type.Boolean({ description: 'whether who asks may change and remove it' }),
    updated_at: timeThat('when somebody changed the view last'),
    updated_by: Type.String({ description: 'names who changed it' }),
  },
  strict,
);
export const ViewList = Type.Object({ views: Type.Array(View) }, strict);

nameSchemas({ View, ViewList });

export type View = Static<typeof View>;
export type ViewList = Static<typeof ViewList>;
