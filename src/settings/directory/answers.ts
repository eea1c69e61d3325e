import { Type, type Static } from 'typebox';
import { nameSchemas } from '../../contracts/index.js';

const Count = Type.Integer({ minimum: 0 });
export const ImportAnswer = Type.Object(
  { entries: Count, created: Count, changed: Count, unchanged: Count },
  { additionalProperties: false },
);

nameSchemas({ ImportAnswer });

export type ImportAnswer = Static<typeof ImportAnswer>;
