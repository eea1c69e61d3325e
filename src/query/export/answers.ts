import { Type } from 'typebox';

/** One line of an export. OCSF's own schemas say the rest. */
export const OcsfLine = Type.Object(
  {
    class_uid: Type.Integer(),
    type_uid: Type.Integer(),
    time: Type.Integer({ description: 'time of the event, epoch milliseconds as OCSF demands' }),
    metadata: Type.Object(
      {
        version: Type.String(),
        sequence: Type.Integer({ description: 'index of the entry in the ledger' }),
        logged_time: Type.Integer({ description: 'arrival of the entry, epoch milliseconds' }),
      },
      { additionalProperties: true },
    ),
  },
  { additionalProperties: true, title: 'OcsfEvent', description: 'An event of OCSF 1.8.0' },
);
