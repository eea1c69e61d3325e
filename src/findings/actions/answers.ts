import { Type, type Static } from 'typebox';
import { Author, DETECTION_ACTIONS, Index, maybe, nameSchemas, strict, timeThat } from '../../contracts/index.js';
import { KINDS, SEVERITIES } from '../detection.js';

const whole = Type.Integer({ minimum: 1 });

export const DetectionItem = Type.Object(
  {
    kind: Type.Enum([...KINDS]),
    severity: Type.Enum([...SEVERITIES]),
    means: Type.String({ description: 'says what its findings mean' }),
    next: Type.String({ description: 'says what to do next' }),
    looks: Type.String({ description: 'says threshold and window' }),
    stopped_by: Type.Array(Type.String(), {
      description: 'members of the rule that stops what it finds; empty: no rule does',
    }),
    action: Type.Enum([...DETECTION_ACTIONS]),
    cap: maybe(
      Type.Object({ users: whole, tokens: whole, per_hour: whole }, { ...strict, description: 'bounds of its action' }),
    ),
    set_by: maybe(Author),
    set_at: maybe(timeThat('when the action was set; null: never, so it is off')),
    entry: maybe(Index),
  },
  {
    ...strict,
    description:
      '`entry`: the ledger entry that tells the action; null with `set_at`: it is not written yet, and until then the action is off.',
  },
);

export const DetectionList = Type.Object({ items: Type.Array(DetectionItem) }, strict);

nameSchemas({ DetectionItem, DetectionList });

export type DetectionItem = Static<typeof DetectionItem>;
export type DetectionList = Static<typeof DetectionList>;
